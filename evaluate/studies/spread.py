"""What another training would change: estimated from the trainings of each way, drawn into every interval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.statistics import Array


@dataclass(frozen=True)
class Spread:
    """How trainings of one way differ.

    Attributes:
        deviation: standard deviation between them, over all ways.
        free: degrees of freedom that it was estimated from.
    """

    deviation: float
    free: int

    def changes(self, trainings: Array, shape: Sequence[int], generator: np.random.Generator) -> Array:
        """What other trainings would change in means over several: Student's t, for the deviation is an estimate.

        Args:
            trainings: of each mean; broadcasts against `shape`.
            shape: of what is drawn, float64.
        """
        return generator.standard_t(self.free, tuple(shape)) * self.deviation / np.sqrt(trainings)


def spread_of(tables: Iterable[Array]) -> Spread | None:
    """The spread of trainings around the mean of their way; None where nothing was trained twice.

    Args:
        tables: each [W, K] float64: K trainings of one way, judged in W ways, which count as one.
    """
    finite = [table[np.isfinite(table).all(axis=1)] for table in tables]
    known = [table for table in finite if len(table)]
    free = sum(table.shape[1] - 1 for table in known)
    squares = sum(float(table.var(axis=1).mean()) * table.shape[1] for table in known)
    return Spread(float(np.sqrt(squares / free)), free) if free else None
