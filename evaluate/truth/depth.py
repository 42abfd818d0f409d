"""Depth that a sensor measured, which knows only some of the pixels: the measures of adherence over those."""

import numpy as np
from numpy.typing import NDArray

from evaluate.measures.depth import score_depth
from evaluate.measures.measure import Score

Inverse = np.ma.MaskedArray[tuple[int, int], np.dtype[np.float32]]


def inverse_of(stored: NDArray[np.uint16]) -> Inverse:
    """Inverse depth from distances [H, W] uint16 of any unit, 0 where none is known: [H, W] float32, those masked."""
    return np.ma.masked_equal(stored, 0) ** np.float32(-1)


def score_known(truth: Inverse, found: NDArray[np.float32]) -> dict[str, Score]:
    """Score depth [H, W] float32 as adherence does, over the pixels that are known: no other moves the alignment.

    Raises:
        ValueError: none is known.
    """
    known = ~np.ma.getmaskarray(truth)
    if not known.any():
        raise ValueError("no pixel's depth is known, so none can be scored. Leave the picture out")
    return score_depth(truth.data[known][None], found[known][None])
