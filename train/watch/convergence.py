"""Sudden convergence: the step at which a curve of many rows rose, with an interval by bootstrap over the rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import t

Array = NDArray[np.float64]

REPLICATES = 2_000
LEVEL = 0.95  # of the intervals
SHARES = (0.2, 0.5, 0.8)  # of the final level
GAP = 0.2  # of the final level: what rises more between two looks is not seen to rise on a straight line
LAST = 0.25  # of the looks since 80 %, whose mean is the final level
SUDDEN = 1 / 3  # a rise is sudden if 20 to 80 % of it takes at most this share of the steps it took to get half-way


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; an end is infinite where the rise may have no such step within the run."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Rise:
    """When a curve rose from nothing to its final level; steps are optimiser steps.

    Attributes:
        early: step at which it had 20 % of the final level.
        step: 50 %.
        late: 80 %.
        width: steps from 20 to 80 %, both read off the curve.
        level: the final level, in the curve's unit.
    """

    early: Estimate
    step: Estimate
    late: Estimate
    width: float
    level: Estimate

    @property
    def sudden(self) -> bool:
        """Whether it came at once, measured by how long it took to come."""
        return self.width <= SUDDEN * self.step.value


def find_rise(steps: NDArray[np.int64], rows: Array, *, replicates: int = REPLICATES, seed: int = 0) -> Rise | None:
    """Find when the mean of the rows rose.

    The mean is fitted by the nearest curve that never falls, from 0 at step 0. A share of the final level is reached
    between the last look below it and the next, on the straight line between the two. Where a fifth of the level or
    more is gained between two looks, nothing tells when: the interval then reaches from one look to the other.

    The intervals say what other rows would have said of this run. Another run, with another seed, differs by more.

    Args:
        steps: [S] ascending, at which it was looked.
        rows: [S, R] effect of each row, 0 where there is none, higher is more; the same rows at every look.
        replicates: how many times the rows are drawn again.
        seed: of the drawing.

    Returns:
        None where the last tenth of the looks can't be told apart from 0 (one-sided t-test over the rows, 2.5 %).
    """
    assert rows.shape[0] == len(steps) > 0, f"{len(steps)} steps, rows of {rows.shape}"
    if not _above_zero(rows[-max(1, len(rows) // 10) :].mean(axis=0)):
        return None
    if steps[0] > 0:
        steps, rows = np.r_[0, steps], np.concatenate([np.zeros((1, rows.shape[1])), rows])
    generator = np.random.default_rng(seed)
    low, high, levels = [], [], []
    for _ in range(replicates):
        mean = rows[:, generator.integers(0, rows.shape[1], rows.shape[1])].mean(axis=1)
        _, ends, level = _crossings(steps, mean)
        low.append(ends[0])
        high.append(ends[1])
        levels.append(level)
    values, _, level = _crossings(steps, rows.mean(axis=1))
    early, step, late = (
        Estimate(float(value), _quantile(earliest, (1 - LEVEL) / 2), _quantile(latest, (1 + LEVEL) / 2))
        for value, earliest, latest in zip(values, np.array(low).T, np.array(high).T, strict=True)
    )
    final = Estimate(level, _quantile(np.array(levels), (1 - LEVEL) / 2), _quantile(np.array(levels), (1 + LEVEL) / 2))
    return Rise(early, step, late, late.value - early.value, final)


def _above_zero(values: Array) -> bool:
    """Whether the mean of [R] values is above 0 by a one-sided t-test of 2.5 %."""
    if len(values) < 2:
        return False
    error = values.std(ddof=1) / np.sqrt(len(values))
    return bool(values.mean() > t.ppf((1 + LEVEL) / 2, len(values) - 1) * error)


def _crossings(steps: NDArray[np.int64], mean: Array) -> tuple[Array, tuple[Array, Array], float]:
    """Where the nearest curve that never falls passes the shares of its final level.

    Args:
        steps: [S] from 0.
        mean: [S].

    Returns:
        [3] steps, infinite where the final level is not above 0; their earliest and latest places, [3] each; the
        level.
    """
    fitted = np.maximum(isotonic_regression(mean).x, 0.0)
    level = _final_level(fitted, mean)
    if level <= 0:
        never = np.full(len(SHARES), np.inf)
        return never, (never, never), level
    wanted = level * np.array(SHARES)
    after = np.searchsorted(fitted, wanted)  # the first look at or above; the last one is: see `_final_level`
    before = np.maximum(after - 1, 0)
    jump = np.maximum(fitted[after] - fitted[before], np.finfo(np.float64).tiny)
    values = steps[before] + (steps[after] - steps[before]) * (wanted - fitted[before]) / jump
    unseen = jump >= GAP * level
    return values, (np.where(unseen, steps[before], values), np.where(unseen, steps[after], values)), level


def _final_level(fitted: Array, mean: Array) -> float:
    """Mean of the last looks: a part of those since the fitted curve came near its end.

    The fitted curve's own last value is no lower, but too high: it is the largest mean that any last looks have.
    """
    since = len(mean) - int(np.searchsorted(fitted, SHARES[-1] * fitted[-1]))
    return float(mean[-max(1, round(LAST * since)) :].mean())


def _quantile(values: Array, share: float) -> float:
    """One of the values, so that infinite ones do no harm."""
    return float(np.quantile(values, share, method="inverted_cdf"))
