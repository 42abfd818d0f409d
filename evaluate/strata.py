"""Strata of a column: its rows in a few ranges of about equal share, or by value where there are few values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.page.render import short

STRATA = 5  # quantiles of a column of numbers
VALUES = 8  # a column of no more different values is laid out by value; of one of words, the most frequent are shown


@dataclass(frozen=True)
class Stratum:
    """Rows of one range.

    Attributes:
        name: the range in words, of the values that are there: "0.013 to 0.052", "2", "train".
        low: least value; None of words.
        high: greatest value; None of words.
        places: [N] int64, positions of its rows in the index.
        share: of the rows that have a value, in [0, 1].
    """

    name: str
    low: float | None
    high: float | None
    places: NDArray[np.int64]
    share: float


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type has ranges; if not, it has names."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def strata(values: pa.ChunkedArray, places: NDArray[np.int64]) -> list[Stratum]:
    """Lay out rows by a column; those without a value, NaN or infinity included, are in none.

    Args:
        values: of every row of the index: numbers, words or truth values.
        places: [N] int64, the rows that are meant.
    """
    if is_number(values.type):
        numbers = as_numbers(values)[places]
        found = np.isfinite(numbers)
        return _of_numbers(numbers[found], places[found])
    return _of_words(values, places)


def as_numbers(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of numbers: [N] float64, NaN where there is none."""
    return pc.fill_null(pc.cast(values, pa.float64(), safe=False), float("nan")).to_numpy()


def smallest(hashes: NDArray[np.uint64], places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The `count` of these places whose hashes are smallest, in that order; of equal hashes (of equal keys) one.

    Args:
        hashes: [N] uint64, of every row of the index.
    """
    near = places[_near(hashes[places], 64 * count)]  # equal keys are rare, and no million is sorted for a few
    return near[np.unique(hashes[near], return_index=True)[1][:count]]


def extremes(
    values: NDArray[np.float64], places: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The `count` places of least and of greatest value, the most extreme first; fewer where no value is finite.

    Args:
        values: [N] float64, of every row of the index.
    """
    found = places[np.isfinite(values[places])]
    low, high = found[_near(values[found], count)], found[_near(-values[found], count)]
    low, high = low[np.argsort(values[low], kind="stable")], high[np.argsort(-values[high], kind="stable")]
    return low[:count], high[:count]


def _near(values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Positions, ascending, of the `count` smallest values and of all that equal the last of them."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])


def _of_numbers(numbers: NDArray[np.float64], places: NDArray[np.int64]) -> list[Stratum]:
    """By value where they are few, else by quantiles; a value that fills several quantiles is a stratum of its own."""
    if not len(numbers):
        return []
    uppers = _few(numbers)
    if uppers is None:
        shares = np.arange(1, STRATA + 1) / STRATA
        uppers = np.unique(np.quantile(numbers, shares, method="inverted_cdf"))
    bins = np.searchsorted(uppers, numbers, side="left")
    parts = []
    for place in range(len(uppers)):
        inside = bins == place
        low, high = float(numbers[inside].min()), float(numbers[inside].max())
        name = short(low) if low == high else f"{short(low)} to {short(high)}"
        parts.append(Stratum(name, low, high, places[inside], float(inside.mean())))
    return parts


def _few(numbers: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The different values, ascending, if there are no more than `VALUES`."""
    different = np.unique(numbers[:: max(1, len(numbers) // 10_000)])  # nearly always says no, and at once
    if len(different) > VALUES:
        return None
    different = np.unique(numbers)
    return different if len(different) <= VALUES else None


def _of_words(values: pa.ChunkedArray, places: NDArray[np.int64]) -> list[Stratum]:
    words = values.cast(pa.string()).take(pa.array(places))
    counts = pc.value_counts(words.drop_null())
    total = max(pc.sum(counts.field("counts")).as_py() or 0, 1)
    table = pa.table({"values": counts.field("values"), "counts": counts.field("counts")})
    most = pc.select_k_unstable(table, VALUES, [("counts", "descending"), ("values", "ascending")])
    parts = []
    for entry in table.take(most).to_pylist():
        inside = pc.fill_null(pc.equal(words, entry["values"]), False).to_numpy()
        parts.append(Stratum(entry["values"], None, None, places[inside], entry["counts"] / total))
    return parts
