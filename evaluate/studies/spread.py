"""What another training would change: estimated from the trainings of each way, drawn into every interval."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from evaluate.statistics import Array

SEED = 0  # of what other trainings would change


@dataclass(frozen=True)
class Spread:
    """How trainings of one way differ.

    Attributes:
        deviation: standard deviation between them, over all ways.
        free: degrees of freedom that it was estimated from.
    """

    deviation: float
    free: int

    def unsure(self, resamples: int, generator: np.random.Generator) -> Array:
        """How many times the estimate the deviation may be: [R] float64, one for all that a resample changes by it."""
        return np.sqrt(self.free / generator.chisquare(self.free, resamples))

    def changes(self, trainings: Array, unsure: Array, generator: np.random.Generator) -> Array:
        """What other trainings would change in means over several.

        Each change is Student's t, and so is the difference of two, for the deviation is one estimate for all of them.

        Args:
            trainings: [] or [M], of each mean.
            unsure: [R] or [R, 1] float64, of `unsure`.

        Returns:
            [R] or [R, M] float64.
        """
        deviations = unsure * self.deviation / np.sqrt(trainings)
        return generator.standard_normal(deviations.shape) * deviations


@dataclass(frozen=True)
class Spreads:
    """How trainings differ, and what of that is not the same in all ways in which a training is judged.

    Attributes:
        whole: between trainings of one way.
        apart: of it what each way of judging has for itself; None where none was trained twice and judged in two ways.
    """

    whole: Spread
    apart: Spread | None

    @property
    def shared(self) -> Spread:
        """Of the whole what all ways share in which a training is judged."""
        apart = self.apart.deviation if self.apart else 0.0
        return Spread(float(np.sqrt(max(self.whole.deviation**2 - apart**2, 0.0))), self.whole.free)


def spreads_of(tables: Iterable[Array]) -> Spreads | None:
    """Both spreads; None where nothing was trained twice. As `spread_of` takes them."""
    known = list(tables)
    whole = spread_of(known)
    return Spreads(whole, _apart(known)) if whole else None


def spread_of(tables: Iterable[Array]) -> Spread | None:
    """The spread of trainings around the mean of their way; None where nothing was trained twice.

    Args:
        tables: each [W, K] float64: K trainings of one way, judged in W ways, which count as one.
    """
    known = _finite(tables)
    free = sum(table.shape[1] - 1 for table in known)
    squares = sum(float(table.var(axis=1).mean()) * table.shape[1] for table in known)
    return Spread(float(np.sqrt(squares / free)), free) if free else None


def _apart(tables: Iterable[Array]) -> Spread | None:
    """What is left of shares without each way's mean and each training's (two-way analysis of variance)."""
    known = _finite(tables)
    free = sum((table.shape[0] - 1) * (table.shape[1] - 1) for table in known)
    left = [table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean() for table in known]
    return Spread(float(np.sqrt(sum(float((each**2).sum()) for each in left) / free)), free) if free else None


def _finite(tables: Iterable[Array]) -> list[Array]:
    """Without ways that have no share, as those whose ceiling is no better than their floor."""
    finite = [table[np.isfinite(table).all(axis=1)] for table in tables]
    return [table for table in finite if len(table)]
