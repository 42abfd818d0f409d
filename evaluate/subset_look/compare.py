"""How the rows that a manifest draws differ from all rows of the train split, column by column of the index."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from evaluate.subset_look.bins import Bins, bins_of_numbers
from manifests.account import Standing
from manifests.dataset import Dataset
from manifests.index import ROWS, index_path, index_schema, read_index
from manifests.manifest import Manifest
from manifests.splits.hashes import is_hash
from manifests.subset import draw_order, judge

POPULATIONS = ("all", "eligible", "drawn")  # rows of the train split; that may be drawn; that are
ALL, ELIGIBLE, DRAWN = range(3)
# Names and places of rows, what is equal for all of them, and hashes, whose size means nothing.
NO_STATS = frozenset({"key", "shard", "row", "split", "cluster", "picture", "removed", "code"})
CATEGORIES = frozenset({"part"})  # whole numbers that are names
MOST = 12  # categories shown; a column of more than `NAMES` different ones holds names, not categories
NAMES = 200
SLIGHT = 0.01  # distance: a hundredth of the rows lie elsewhere
SMIRNOV = 1.36  # c of the asymptotic 5 % level c * sqrt(1/n + 1/m) of the two-sample statistic


@dataclass(frozen=True)
class Spread:
    """The numbers of one population; NaN where there are none.

    Attributes:
        rows: that have a finite number.
        missing: that have none.
        quartiles: 25 %, median, 75 %.
    """

    rows: int
    missing: int
    mean: float
    quartiles: tuple[float, float, float]


@dataclass(frozen=True)
class Difference:
    """One column of the index, in the three populations.

    Attributes:
        column: as `where` may name it.
        distance: of drawn from all, in [0, 1]: of numbers the Kolmogorov–Smirnov statistic, of categories the total
            variation; 0: spread alike, 1: no value in common.
        chance: distance that a random draw of as many rows exceeds in one case of twenty, or about that.
        spreads: of the populations; none of categories.
    """

    column: str
    distance: float
    chance: float
    bins: Bins
    spreads: tuple[Spread, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether by more than chance, and by enough to speak of."""
        return self.distance > max(self.chance, SLIGHT)

    @property
    def constant(self) -> bool:
        """Whether all rows have the same value, or none has any."""
        missing = {spread.missing for spread in self.spreads} - {0}
        return self.distance == 0 and not missing and int((self.bins.counts[ALL] > 0).sum()) <= 1


@dataclass(frozen=True)
class Look:
    """A subset beside the whole.

    Attributes:
        rows: of each population.
        differences: of every column, the greatest first.
        constant: columns in which all rows are alike.
        left_out: families that are not whole.
    """

    rows: tuple[int, ...]
    differences: tuple[Difference, ...]
    constant: tuple[str, ...]
    left_out: tuple[str, ...]


def compare(dataset: Dataset, manifest: Manifest) -> Look:
    """Compare the rows of a manifest that can be drawn with all rows of the train split, those taken down aside.

    One column is in memory at a time.
    """
    standing = judge(dataset, manifest.condition, "train", where=manifest.where, parts=manifest.parts)
    places = _places(standing, manifest)
    present = [family for family in dataset.families() if index_path(dataset, family).exists()]
    whole = [family for family in present if len(read_index(dataset, family, ["status"])) >= len(standing.rows)]
    found = []
    for family in (ROWS, *whole):
        for field in index_schema(dataset, family):
            if field.name in NO_STATS or is_hash(field.name) or (family, field.name) == (manifest.condition, "status"):
                continue  # of its own status the account speaks
            values = read_index(dataset, family, [field.name])[field.name]
            name = field.name if family == ROWS else f"{family}.{field.name}"
            difference = _numbers(name, values, places) if _counts(field) else _categories(name, values, places)
            found += [difference] if difference else []
    found.sort(key=lambda difference: -difference.distance)
    left_out = tuple(family for family in dataset.families() if family not in whole)
    constant = tuple(difference.column for difference in found if difference.constant)
    varied = tuple(difference for difference in found if not difference.constant)
    return Look(tuple(len(of) for of in places), varied, constant, left_out)


def _places(standing: Standing, manifest: Manifest) -> list[NDArray[np.int64]]:
    """Places in the index of the rows of each population."""
    elsewhere = [
        place
        for place, (reason, _) in enumerate(standing.reasons, 1)
        if reason.startswith("split_") or reason == "taken_down"
    ]
    eligible = np.flatnonzero(standing.eligible)
    order = draw_order(standing.rows.filter(pa.array(standing.eligible)), manifest.seed)
    return [np.flatnonzero(~np.isin(standing.first, elsewhere)), eligible, eligible[order[: manifest.rows]]]


def _counts(field: pa.Field) -> bool:
    """Whether a column holds numbers that are more or less."""
    return field.name not in CATEGORIES and (pa.types.is_integer(field.type) or pa.types.is_floating(field.type))


def _numbers(column: str, values: pa.ChunkedArray, places: Sequence[NDArray[np.int64]]) -> Difference:
    known = values.cast(pa.float64(), safe=False).to_numpy()  # NULL is NaN
    of_each = [known[of] for of in places]
    finite = [found[np.isfinite(found)] for found in of_each]
    spreads = tuple(_spread(found, len(every)) for found, every in zip(finite, of_each, strict=True))
    first, drawn = finite[ALL], finite[DRAWN]
    if not (len(first) and len(drawn)):  # what is known of none of the drawn is far from what is known of some
        return Difference(column, float(len(first) > 0), 0.0, bins_of_numbers(finite), spreads)
    distance = float(ks_2samp(first, drawn, method="asymp").statistic)
    chance = SMIRNOV * np.sqrt(1 / len(first) + 1 / len(drawn))
    return Difference(column, distance, float(chance), bins_of_numbers(finite), spreads)


def _spread(finite: NDArray[np.float64], of: int) -> Spread:
    if not len(finite):
        return Spread(0, of, np.nan, (np.nan, np.nan, np.nan))
    low, middle, high = np.quantile(finite, (0.25, 0.5, 0.75)).tolist()
    return Spread(len(finite), of - len(finite), float(finite.mean()), (low, middle, high))


def _categories(column: str, values: pa.ChunkedArray, places: Sequence[NDArray[np.int64]]) -> Difference | None:
    """None where the column holds no categories, but texts or lists."""
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        return None
    words = values.cast(pa.string())
    tallies = [_tally(words.take(pa.array(of))) for of in places]
    if len(tallies[ALL]) > NAMES:
        return None
    labels = sorted(tallies[ALL], key=lambda label: (-tallies[ALL][label], label))
    counts = np.array([[tally.get(label, 0) for label in labels] for tally in tallies], np.int64).reshape(3, -1)
    shares = counts / np.maximum(counts.sum(axis=1), 1)[:, None]
    distance = float(np.abs(shares[DRAWN] - shares[ALL]).sum() / 2)
    # Each share's mean absolute error is sqrt(2 p (1 - p) / (pi n)); twice their sum is rarely exceeded.
    room = np.sqrt(2 * shares[ALL] * (1 - shares[ALL]) / (np.pi * max(1, len(places[DRAWN]))))
    if len(labels) > MOST:
        labels = [*labels[: MOST - 1], "others"]
        counts = np.column_stack([counts[:, : MOST - 1], counts[:, MOST - 1 :].sum(axis=1)])
    return Difference(column, distance, float(room.sum()), Bins(counts, np.arange(0.0), tuple(labels)))


def _tally(words: pa.ChunkedArray) -> dict[str, int]:
    found = pc.value_counts(words.fill_null("NULL")).to_pylist()
    return {entry["values"]: entry["counts"] for entry in found}
