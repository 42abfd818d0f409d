"""How sure a mean is: a bootstrap over samples that carries all draws and arms of a sample along."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REPLICATES = 2_000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% percentile interval; all three are NaN where it is undefined."""

    value: float
    low: float
    high: float


def resampled_means(scores: Array, *, replicates: int = REPLICATES, seed: int = 0) -> Array:
    """Means of samples drawn with replacement.

    Arms lie side by side in `scores`, so that one draw of samples serves them all: differences between arms,
    or between runs on the same samples, are paired.

    Args:
        scores: [N, K] float64; a row is a sample (its draws already averaged), a column an arm.
        replicates: R, how many times the samples are drawn again.
        seed: of the drawing; the same seed and N draw the same rows.

    Returns:
        [R, K] float64.
    """
    generator = np.random.default_rng(seed)
    samples = len(scores)
    means = np.empty((replicates, scores.shape[1]))
    for index in range(replicates):  # one at a time: [R, N] indices would not fit for a million samples
        means[index] = scores[generator.integers(0, samples, samples)].mean(axis=0)
    return means


def interval(value: float, replicates: Array) -> Interval:
    """The percentile interval around an estimate.

    Args:
        value: the estimate on all samples.
        replicates: [R] float64, the estimate on each resample.
    """
    if not np.isfinite(value) or not np.isfinite(replicates).all():
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))


def normalised(score: Array, *, floor: Array, ceiling: Array) -> Array:
    """Where a score lies between no control (0) and the best that this base can draw (1).

    Works for measures of either direction. NaN where ceiling and floor coincide.

    Args:
        score: any shape, float64.
        floor: the same shape.
        ceiling: the same shape.
    """
    room = np.asarray(ceiling - floor, np.float64)
    return np.divide(score - floor, room, out=np.full(room.shape, np.nan), where=np.abs(room) > 1e-9)
