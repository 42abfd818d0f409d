"""A measure of a set of pictures, and of any resample of the set: the step from scores.parquet to statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from evaluate.measures.measure import Measure
from evaluate.scores import matrix, of
from evaluate.statistics import REPLICATES, Array, Interval, Statistic, bootstrap, interval


@dataclass(frozen=True)
class Measured:
    """One measure in several arms.

    Attributes:
        samples: N.
        value: [K] float64, of all samples, in the order of the arms.
        replicates: [R, K] float64, of each resample; the same resamples wherever there are as many samples. NaN where
            there is one sample alone, which says nothing of others.
    """

    arms: tuple[str, ...]
    samples: int
    value: Array
    replicates: Array

    def interval(self, arm: str) -> Interval:
        """Of one arm."""
        place = self.arms.index(arm)
        return interval(float(self.value[place]), self.replicates[:, place])


def measure_all(
    scores: pa.Table, measure: Measure, arms: Sequence[str], *, replicates: int = REPLICATES, seed: int = 0
) -> Measured:
    """Measure all samples in several arms, with intervals over the samples; of one sample there is none.

    Args:
        scores: rows of scores.parquet, in any order.
        replicates: R.
        seed: of the bootstrap; another one for samples that are others.
    """
    keys, statistic = statistic_of(scores, measure, arms)
    value, again = bootstrap(statistic, len(keys), replicates=replicates, seed=seed)
    return Measured(tuple(arms), len(keys), value, again if len(keys) > 1 else np.full_like(again, np.nan))


def statistic_of(scores: pa.Table, measure: Measure, arms: Sequence[str]) -> tuple[list[str], Statistic]:
    """The N keys in ascending order, and what measures them in K arms: how often each counts [R, N] → [R, K].

    Raises:
        ValueError: An arm lacks a sample.
    """
    keys, values = matrix(scores, measure=measure.name, arms=arms)
    if measure.pool is None:
        return keys, lambda weights: weights @ values / weights.sum(axis=1, keepdims=True)
    rows = [of(scores, measure=measure.name, arm=arm) for arm in arms]
    pooled = [measure.pool(table) for table in rows]
    places = [np.searchsorted(keys, table["key"].to_pylist()) for table in rows]  # several draws of one sample

    def statistic(weights: Array) -> Array:
        return np.stack([pool(weights[:, of_arm]) for pool, of_arm in zip(pooled, places, strict=True)], axis=1)

    return keys, statistic
