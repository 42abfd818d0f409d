"""One set of bins for the values of several populations, chosen so that the bulk of the first can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.page.render import short

BINS, FEWEST = 40, 12  # at most, and where there are few values
TRIMMED = (0.005, 0.995)  # quantiles between which bins lie where the tails are long
LONG = 1.5  # tails are long where the whole range is so many times that between the quantiles
DECADES = 50.0  # logarithmic, where the upper end is so many times the lower one,
CROWDED = 0.1  # and half of the values lie in so small a part of the way between


@dataclass(frozen=True)
class Bins:
    """How values are spread.

    Attributes:
        counts: [P, K] int64, values of each population in each bin.
        edges: [K + 1] float64, of bins of numbers; each bin has its lower edge, the last its upper one too.
        labels: of bins of categories, which have no edges.
        below, above: [P] int64, numbers outside the bins.
        logarithmic: whether edges are evenly spaced by their logarithms.
        grain: of whole numbers, by whose multiples they differ; 0: numbers may be anything.
    """

    counts: NDArray[np.int64]
    edges: NDArray[np.float64]
    labels: tuple[str, ...] = ()
    below: tuple[int, ...] = ()
    above: tuple[int, ...] = ()
    logarithmic: bool = False
    grain: float = 0.0

    @property
    def shares(self) -> NDArray[np.float64]:
        """[P, K] in [0, 1]: of each population, tails among them; 0 where it has no values."""
        tails = np.add(self.below or 0, self.above or 0)
        return self.counts / np.maximum(self.counts.sum(axis=1) + tails, 1)[:, None]

    def name(self, place: int) -> str:
        """What a bin holds."""
        if self.labels:
            return self.labels[place]
        return f"{short(self.edges[place])} to {short(self.edges[place + 1])}"


def bins_of_numbers(populations: Sequence[NDArray[np.float64]]) -> Bins:
    """Bins of finite numbers; the first population decides where they lie."""
    first = populations[0]
    if not len(first):
        return Bins(np.zeros((len(populations), 1), np.int64), np.array([0.0, 1.0]))
    low, high = _ends(first)
    grain = _grain(first, low)
    logarithmic = low > 0 and high > DECADES * low and float(np.median(first)) < low + CROWDED * (high - low)
    smallest = min(len(values) for values in populations if len(values))
    bins = int(np.clip(2 * np.sqrt(smallest), FEWEST, BINS))  # so that few values don't make a comb
    edges = np.geomspace(low, high, bins + 1) if logarithmic else _edges(low, high, grain, bins)
    if logarithmic:
        edges[[0, -1]] = low, high  # of rounding, none is to fall out
    counts = np.stack([np.histogram(values, edges)[0] for values in populations])
    below = tuple(int((values < edges[0]).sum()) for values in populations)
    above = tuple(int((values > edges[-1]).sum()) for values in populations)
    return Bins(counts, edges, below=below, above=above, logarithmic=logarithmic, grain=grain)


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    """Between which bins lie: all values, but for long tails."""
    low, high = float(values.min()), float(values.max())
    inner = [float(edge) for edge in np.quantile(values, TRIMMED, method="nearest")]
    return (inner[0], inner[1]) if high - low > LONG * (inner[1] - inner[0]) > 0 else (low, high)


def _edges(low: float, high: float, grain: float, bins: int) -> NDArray[np.float64]:
    """Edges of so many bins or fewer, evenly spaced."""
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    if not grain:
        return np.linspace(low, high, bins + 1)
    numbers = (high - low) / grain + 1
    in_each = np.ceil(numbers / bins)  # as many of the numbers that occur in every bin
    return low - grain / 2 + grain * in_each * np.arange(np.ceil(numbers / in_each) + 1)


def _grain(values: NDArray[np.float64], low: float) -> float:
    """Of whole numbers by whose multiples they differ, as widths may by 8; 0: they are not whole, or one alone."""
    if np.abs(values).max() > 2**52 or (values != np.rint(values)).any():
        return 0.0
    return float(np.gcd.reduce(np.unique(values).astype(np.int64) - int(low)))
