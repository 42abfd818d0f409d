"""Small charts of every column: how the selection lies beside the whole, each bar with what it adds to the filter."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.browse.bins import Bins
from evaluate.browse.columns import Column
from manifests.splits.hashes import is_hash

HEIGHT = 36.0  # of a chart, in the units of its drawing
PLACES = ("key", "part", "shard", "row", "cluster", "picture")  # which name a row more than they tell of it
LISTED = 8  # values of words that are listed, those of the most rows


@dataclass(frozen=True)
class Bar:
    """One bin.

    Attributes:
        rows: selected ones, of `of` in the dataset.
        share, whole: of the selection and of the dataset, as lengths up to `HEIGHT`.
        where: what a click adds.
    """

    label: str
    rows: int
    of: int
    share: float
    whole: float
    where: str


@dataclass(frozen=True)
class Chart:
    """One column; `bars` are none where nearly every row has words of its own."""

    column: Column
    ordered: bool
    bars: tuple[Bar, ...]
    more: int  # bins that are not listed

    @property
    def telling(self) -> bool:
        """Whether it says something of a row, and not the same of all."""
        return self.column.name not in PLACES and not is_hash(self.column.name) and len(self.bars) > 1


def charts(
    columns: Mapping[str, Column], bins: Mapping[str, Bins], counts: Mapping[str, NDArray[np.int64]]
) -> dict[str, list[Chart]]:
    """Charts of all columns by table, in their order."""
    found: dict[str, list[Chart]] = {}
    for address, column in columns.items():
        of = bins.get(address)
        chart = Chart(column, False, (), 0) if of is None else _chart(column, of, counts[address])
        found.setdefault(column.table, []).append(chart)
    return found


def _chart(column: Column, bins: Bins, counts: NDArray[np.int64]) -> Chart:
    share = counts / max(1, counts.sum())
    whole = bins.whole / max(1, bins.whole.sum())
    scale = HEIGHT / max(float(share.max(initial=0)), float(whole.max(initial=0)), 1e-12)
    bars = [
        Bar(label, int(counts[n]), int(bins.whole[n]), float(share[n]) * scale, float(whole[n]) * scale, bins.wheres[n])
        for n, label in enumerate(bins.labels)
    ]
    if bins.ordered:
        return Chart(column, True, tuple(bars), 0)
    most = sorted(bars, key=lambda bar: -bar.of)
    return Chart(column, False, tuple(most[:LISTED]), len(most[LISTED:]))
