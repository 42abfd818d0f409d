"""People against keypoints that people labelled: COCO's average precision over object keypoint similarities.

As pycocotools counts it for people of any size, but for the order of equal scores: labels without a keypoint, and
crowds, are neither asked for nor held against what is found there; at most twenty people of a picture count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifests.body import OPENPOSE_OF_COCO, SIGMAS
from manifests.figures import Poses

COCO_SIGMAS = SIGMAS[list(OPENPOSE_OF_COCO)]
SIMILARITIES = np.arange(10) * 0.05 + 0.5
RECALLS = np.linspace(0, 1, 101)
MOST = 20  # people found in a picture that count, those of the best scores

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Label:
    """A person as labelled.

    Attributes:
        points: [17, 3] x, y in pixels, and whether it is labelled (0 if not).
        box: x, y, width, height in pixels.
        area: of the person's outline, pixels.
        crowd: stands for many, whom nobody has labelled one by one.
    """

    points: Array
    box: tuple[float, float, float, float]
    area: float
    crowd: bool = False

    @property
    def asked(self) -> bool:
        """Whether somebody has to find this person."""
        return not self.crowd and bool((self.points[:, 2] > 0).any())


def average_precision(found: Sequence[Poses], labels: Sequence[Sequence[Label]]) -> dict[str, float]:
    """AP over OKS from 0.50 to 0.95, AP at 0.50, and recall at 0.50, of pictures; each in [0, 1], higher is better.

    Args:
        found: people of each picture, in OpenPose's order; the score of a person is the mean of its points' scores.
        labels: of each picture.
    """
    pictures = [_match(poses, asked) for poses, asked in zip(found, labels, strict=True)]
    scores = np.concatenate([score for score, _, _ in pictures])
    right, counted = (np.concatenate([picture[part] for picture in pictures], axis=1) for part in (1, 2))
    order = np.argsort(-scores, kind="stable")
    wanted = sum(label.asked for some in labels for label in some)
    curves = [_precision(right[at, order][counted[at, order]], wanted) for at in range(len(SIMILARITIES))]
    return {
        "OKS AP": float(np.mean([precision for precision, _ in curves])),
        "AP at 0.50": curves[0][0],
        "recall at 0.50": curves[0][1],
    }


def similarity(person: Array, label: Label) -> float:
    """OKS of a person [17, 3] and a label; of one without keypoints, by how far it is outside a wide box."""
    known = label.points[:, 2] > 0
    off = person[:, :2] - label.points[:, :2]
    if not known.any():
        x, y, width, height = label.box
        corner, end = np.array([x - width, y - height]), np.array([x + 2 * width, y + 2 * height])
        off = np.maximum(0, corner - person[:, :2]) + np.maximum(0, person[:, :2] - end)
    each = np.exp(-(off**2).sum(1) / (2 * (label.area + np.spacing(1)) * (2 * COCO_SIGMAS) ** 2))
    return float(each[known].mean() if known.any() else each.mean())


def _match(poses: Poses, labels: Sequence[Label]) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Scores [people], and [similarities, people]: who is right, who counts at all."""
    scores = np.array([person[person[:, 2] > 0, 2].mean() for person in poses.people])
    best = np.argsort(-scores, kind="stable")[:MOST]
    people = [poses.people[one][list(OPENPOSE_OF_COCO)].astype(np.float64) for one in best]
    ordered = sorted(labels, key=lambda label: not label.asked)
    table = np.array([[similarity(person, label) for label in ordered] for person in people])
    right = np.zeros((len(SIMILARITIES), len(people)), bool)
    counted = np.ones_like(right)
    for at, least in enumerate(SIMILARITIES):
        taken: set[int] = set()
        for one in range(len(people)):
            partner = _partner(table[one], ordered, taken, least)
            if partner is None:
                continue
            right[at, one] = counted[at, one] = ordered[partner].asked
            if not ordered[partner].crowd:
                taken.add(partner)
    return scores[best], right, counted


def _partner(likeness: Array, labels: Sequence[Label], taken: set[int], least: float) -> int | None:
    """The likest label that is free, one that is asked for before any that isn't."""
    free = [number for number in range(len(labels)) if number not in taken and likeness[number] >= least]
    asked = [number for number in free if labels[number].asked]
    return max(asked or free, key=lambda number: float(likeness[number]), default=None)


def _precision(right: NDArray[np.bool_], wanted: int) -> tuple[float, float]:
    """Average precision at 101 recalls, and recall, of people in order of score."""
    if not wanted or not len(right):
        return 0.0, 0.0
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
    places = np.searchsorted(hits / wanted, RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean()), float(hits[-1] / wanted)
