"""Soft edges against boundaries that people drew: precision, recall and F as for BSDS500 (Arbelaez et al. 2011).

As in the official bench, maps are thinned across their ridges before the threshold and by morphology after it, and
pixels are paired one to one. It differs in that the nearest pixels are paired first, where the bench minimises the sum
of all distances; in the ridge's direction, from second derivatives of a Gaussian; in the thresholds, fewer than its 99.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import thin as skeleton

REACH = 0.0075  # of the diagonal: how far apart pixels may be that are the same boundary
SIGMA = 2.0  # pixels: of the smoothing before a ridge's direction is told
MARGIN = 1.01  # a pixel may be this much weaker than its neighbour across the ridge, and stays

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """The best F, of one threshold for all pictures (ODS) and of one for each (OIS); in [0, 1], higher is better.

    Attributes:
        precision, recall: at the threshold of ODS.
    """

    ods: float
    ois: float
    precision: float
    recall: float
    threshold: float


def thin(soft: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep of a soft edge map what is strongest across its ridge: [H, W] float32 in [0, 1] both."""
    smooth = cv2.GaussianBlur(soft, (0, 0), SIGMA)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=5) for order in ((2, 0), (0, 2)))
    mixed = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=5)
    # The axis along which the surface bends most, up or down: the Hessian's eigenvector of the greatest absolute value.
    angle = 0.5 * np.arctan2(2 * mixed, across - down) + np.where(across + down < 0, np.float32(np.pi / 2), 0)
    y, x = np.mgrid[: soft.shape[0], : soft.shape[1]].astype(np.float32)
    kept = np.ones(soft.shape, bool)
    for side in (-1, 1):
        beside = cv2.remap(
            soft, x + side * np.cos(angle), y + side * np.sin(angle), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        kept &= soft * MARGIN >= beside
    return np.where(kept, soft, np.float32(0))


def pair(found: Mask, drawn: Mask, reach: float) -> tuple[Mask, Mask]:
    """Pair pixels of two masks [H, W], one to one, no pair farther apart than `reach` pixels, the nearest first.

    Returns:
        Which pixels of each are in a pair.
    """
    far = int(reach)
    free, other_free = np.pad(found, far), np.pad(drawn, far)
    height, width = found.shape
    for down, right in _steps(far, reach):
        # All pairs so far apart at once: of one step no pixel is in two of them.
        here = free[far : far + height, far : far + width]
        there = other_free[far + down : far + down + height, far + right : far + right + width]
        both = here & there
        here ^= both
        there ^= both
    inside = np.s_[far : far + height, far : far + width]
    return found & ~free[inside], drawn & ~other_free[inside]


def count(maps: Sequence[Mask], people: Sequence[Mask]) -> NDArray[np.int64]:
    """Count pixels of one picture.

    Args:
        maps: of edges [H, W] found in it, one for each threshold; they are thinned.
        people: what each of several people drew, [H, W].

    Returns:
        [maps, 4]: found that anybody drew, found; of all that people drew: found, drawn.
    """
    counts = np.zeros((len(maps), 4), np.int64)
    for row, edges in zip(counts, maps, strict=True):
        found = np.asarray(skeleton(edges), bool)
        anybody = np.zeros_like(found)
        for drawn in people:
            mine, theirs = pair(found, drawn, REACH * float(np.hypot(*drawn.shape)))
            anybody |= mine
            row[2:] += theirs.sum(), drawn.sum()
        row[:2] = anybody.sum(), found.sum()
    return counts


def summarise(counts: NDArray[np.int64], thresholds: Sequence[float]) -> Agreement:
    """Best F of the counts [pictures, thresholds, 4] of many pictures."""
    together = counts.sum(axis=0)
    best = int(np.argmax(f_measure(together)))
    own = np.stack([picture[np.argmax(f_measure(picture))] for picture in counts]).sum(axis=0)
    precision, recall = _shares(together[best])
    return Agreement(
        ods=float(f_measure(together)[best]),
        ois=float(f_measure(own)),
        precision=float(precision),
        recall=float(recall),
        threshold=float(thresholds[best]),
    )


def f_measure(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall of counts [..., 4]; 0 when both are."""
    precision, recall = _shares(counts)
    return np.asarray(2 * precision * recall / np.maximum(precision + recall, 1e-12))


def _shares(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    matched, found, recalled, drawn = np.moveaxis(counts.astype(np.float64), -1, 0)
    return matched / np.maximum(found, 1), recalled / np.maximum(drawn, 1)


@cache
def _steps(far: int, reach: float) -> list[tuple[int, int]]:
    """Steps down and to the right of at most `reach` pixels, short ones first."""
    steps = [(down, right) for down in range(-far, far + 1) for right in range(-far, far + 1)]
    return sorted((step for step in steps if math.hypot(*step) <= reach), key=lambda step: math.hypot(*step))
