"""How sure a number over samples is: a bootstrap over samples that carries all draws and arms of a sample along."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]  # how often each sample counts [R, N] → [R, …], one for each row

REPLICATES = 2_000
LEVEL = 0.95
BLOCK = 1 << 24  # numbers in a block of resamples


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% percentile interval; all three are NaN where it is undefined, its ends of one sample."""

    value: float
    low: float
    high: float


def resamples(samples: int, *, replicates: int = REPLICATES, seed: int = 0) -> Iterator[Array]:
    """Draw samples with replacement, again and again.

    Whatever is computed from one row is paired: all arms, and all runs on the same samples, meet the same resample.

    Args:
        samples: N.
        replicates: R, how many times they are drawn.
        seed: of the drawing; the same seed and N draw the same samples.

    Yields:
        [r, N] float64, how often each sample was drawn: all R rows, a block at a time.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // max(samples, 1))
    for start in range(0, replicates, rows):
        yield np.stack(
            [
                np.bincount(generator.integers(0, samples, samples), minlength=samples).astype(np.float64)
                for _ in range(min(rows, replicates - start))
            ]
        )


def bootstrap(
    statistic: Statistic, samples: int, *, replicates: int = REPLICATES, seed: int = 0
) -> tuple[Array, Array]:
    """A statistic of all samples, and of `replicates` resamples: [...] and [R, ...] float64."""
    blocks = [statistic(weights) for weights in resamples(samples, replicates=replicates, seed=seed)]
    return statistic(np.ones((1, samples)))[0], np.concatenate(blocks)


def interval(value: float, replicates: Array) -> Interval:
    """The percentile interval around an estimate.

    A resample on which it is undefined may lie anywhere, and counts as below the one end and above the other. With so
    many of them that an end is nowhere (one in forty), the estimate is undefined too.

    Args:
        value: the estimate on all samples.
        replicates: [R] float64, the estimate on each resample; NaN where it is undefined; all NaN of one sample, which
            says nothing of others.
    """
    known, tail, nowhere = np.isfinite(replicates), (1 - LEVEL) / 2, float("nan")
    if np.isfinite(value) and not known.any():
        return Interval(float(value), nowhere, nowhere)
    if not np.isfinite(value) or np.count_nonzero(~known) > tail * (len(known) - 1):
        return Interval(nowhere, nowhere, nowhere)
    if known.all():
        low, high = np.quantile(replicates, [tail, 1 - tail])
    else:
        low = np.quantile(np.where(known, replicates, -np.inf), tail, method="lower")
        high = np.quantile(np.where(known, replicates, np.inf), 1 - tail, method="higher")
    return Interval(float(value), float(low), float(high))


def normalised(score: Array, *, floor: Array, ceiling: Array, higher_is_better: bool = True) -> Array:
    """Where a score lies between no control (0) and the best that this base can draw (1).

    NaN where the ceiling is no better than the floor: then there is no way to go.

    Args:
        score: any shape, float64.
        floor: the same shape.
        ceiling: the same shape.
    """
    room = np.asarray(ceiling - floor, np.float64)
    better = (room if higher_is_better else -room) > 1e-9
    return np.divide(score - floor, room, out=np.full(room.shape, np.nan), where=better)


def randomised(
    statistic: Statistic, samples: int, *, replicates: int = REPLICATES, seed: int = 0
) -> tuple[float, float]:
    """Test whether two runs differ: their results are exchanged within random halves of the samples.

    The null is that it makes no difference which run drew a sample; nothing is assumed about how scores are spread.

    Args:
        statistic: of 2 N samples, those of the one run first, then the same of the other: [R, 2 N] → [R].
        samples: N.

    Returns:
        The difference of the two runs, the first less the second, and p of one as large in either direction; at least
        1 / (1 + replicates).
    """
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // max(2 * samples, 1))

    def difference(first: Array) -> Array:
        one, other = (np.concatenate(pair, axis=1) for pair in ((first, 1 - first), (1 - first, first)))
        return statistic(one) - statistic(other)

    found = float(difference(np.ones((1, samples)))[0])
    extreme = 0
    for start in range(0, replicates, rows):
        halves = generator.integers(0, 2, (min(rows, replicates - start), samples)).astype(np.float64)
        extreme += int(np.count_nonzero(np.abs(difference(halves)) >= abs(found) - 1e-12))
    return found, (1 + extreme) / (1 + replicates)


def holm(tests: Array) -> Array:
    """Holm's correction of p of several tests: [T] float64 in [0, 1], no smaller than what was given."""
    order = np.argsort(tests, kind="stable")
    stepped = np.maximum.accumulate(tests[order] * np.arange(len(tests), 0, -1))
    corrected = np.empty_like(tests)
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def two_sided(replicates: Array) -> float:
    """p of a difference that is none, in either direction, from its resamples: at least 2 / (1 + R).

    Args:
        replicates: [R] float64, the difference on each resample; NaN, where there is none, counts in either direction.
    """
    below, above = (int(np.count_nonzero(~side)) for side in (replicates > 0, replicates < 0))
    return min(1.0, 2 * (1 + min(below, above)) / (1 + len(replicates)))


def detectable(replicates: Array, *, tests: int = 1) -> float:
    """The smallest true difference that such a comparison finds four times in five, at 5 % in two directions.

    Args:
        replicates: [R] float64, the difference on each resample.
        tests: for how many the p is corrected: at 5 % of their number, as at Holm's first step.

    Returns:
        z(1 - 0.025 / tests) + z(0.8) standard errors, of one test 1.960 + 0.842, in the unit of the difference.
    """
    return float((norm.ppf(1 - 0.025 / tests) + norm.ppf(0.8)) * replicates.std(ddof=1))
