"""A column in a few bins, each with the `where` that means it: how a selection lies beside the whole."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.browse.columns import Column, literal

ABOUT = 20  # bins of a number
SINGLE = 12  # whole numbers of no more different values have a bin each
TAIL = 0.005  # share of the rows at either end that may be put into one bin, where they lie far out


@dataclass(frozen=True, eq=False)
class Bins:
    """Which bin each row is in.

    Attributes:
        codes: [N] uint8; the number of a bin.
        labels: what is in a bin, in words.
        wheres: and as an expression for `where`.
        ordered: whether the bins follow one another, as numbers do.
    """

    codes: NDArray[np.uint8]
    labels: tuple[str, ...]
    wheres: tuple[str, ...]
    ordered: bool

    @cached_property
    def whole(self) -> NDArray[np.int64]:
        """Rows in each bin: [B]."""
        return np.bincount(self.codes, minlength=len(self.labels))

    def within(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Selected rows in each bin: [B]."""
        return np.bincount(self.codes[mask], minlength=len(self.labels))


def bins_of(column: Column, values: pa.ChunkedArray) -> Bins | None:
    """Bins of a column; None where nearly every row has words of its own."""
    array = values.combine_chunks()
    if column.kind == "words":
        return _choices(column, array) if pa.types.is_dictionary(array.type) else None
    if column.kind == "truth":
        return _choices(column, array.dictionary_encode())
    if pa.types.is_integer(array.type):
        singles = pc.unique(array.slice(0, 100_000))
        if len(singles) <= SINGLE and len(singles := pc.unique(array)) <= SINGLE:
            return _choices(column, array.dictionary_encode())
    return _numbers(column, array)


def _choices(column: Column, array: pa.DictionaryArray) -> Bins | None:
    """One bin for each value, in their order, and one for NULL."""
    values = array.dictionary.to_pylist()
    if len(values) > 250:
        return None
    order = sorted(range(len(values)), key=lambda number: values[number])
    rank = np.empty(len(values) + 1, np.uint8)
    rank[order] = np.arange(len(values))
    rank[-1] = len(values)  # of -1, which is NULL
    codes = rank[np.asarray(pc.fill_null(array.indices, -1), dtype=np.int64)]
    labels = [_in_words(values[number]) for number in order]
    wheres = [f"{column.address} = {literal(values[number])}" for number in order]
    if array.null_count:
        labels, wheres = [*labels, "NULL"], [*wheres, f"{column.address} IS NULL"]
    return Bins(codes, tuple(labels), tuple(wheres), column.kind == "number")


def _numbers(column: Column, array: pa.Array) -> Bins | None:
    """Bins of a round width, one for either far end, and one each for NaN and NULL, where there are such rows."""
    whole = pa.types.is_integer(array.type)
    nulls = np.asarray(pc.is_null(array))
    values = np.asarray(pc.fill_null(array, 0), dtype=np.float64)
    finite = np.isfinite(values) & ~nulls
    if not finite.any():
        return None
    low, high = _range(values[finite])
    step = _round_up((high - low) / ABOUT, whole=whole)
    start = math.floor(low / step)
    count = max(1, math.floor(high / step) - start + 1)
    if not whole and count > 1 and high == (start + count - 1) * step:
        count -= 1  # the greatest value lies on the last edge
    edges = [_digits((start + number) * step, whole=whole) for number in range(count + 1)]
    bounds = np.array([_bound(edge, array.type) for edge in edges])
    place = np.searchsorted(bounds, values, side="right") - 1
    codes = np.clip(place, 0, count - 1).astype(np.uint8)
    tops = [_digits((start + number + 1) * step - 1, whole=True) for number in range(count)] if whole else edges[1:]
    labels = [f"{edges[n]} to {tops[n]}" if edges[n] != tops[n] else edges[n] for n in range(count)]
    wheres = [f"{column.address} BETWEEN {edges[n]} AND {tops[n]}" for n in range(count)]
    if not whole:  # the last one has its top too
        wheres[:-1] = [f"{column.address} >= {edges[n]} AND {column.address} < {tops[n]}" for n in range(count - 1)]
    above = (values > (float(tops[-1]) if whole else bounds[-1])) & finite
    rest = [
        (finite & (place < 0), f"< {edges[0]}", f"{column.address} < {edges[0]}"),
        (above, f"> {tops[-1]}", f"{column.address} > {tops[-1]}"),
        (~finite & ~nulls, "NaN or infinite", f"NOT isfinite({column.address})"),
        (nulls, "NULL", f"{column.address} IS NULL"),
    ]
    for mask, label, where in rest:
        if mask.any():
            codes[mask] = len(labels)
            labels, wheres = [*labels, label], [*wheres, where]
    return Bins(codes, tuple(labels), tuple(wheres), ordered=True)


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """From where to where bins are drawn: all values, unless a few lie far out."""
    low, near, far, high = np.quantile(values, (0, TAIL, 1 - TAIL, 1)).tolist()
    return (near, far) if high - low > 4 * (far - near) > 0 else (low, high)


def _round_up(width: float, *, whole: bool) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten; of whole numbers a whole one."""
    if not width > 0 or not math.isfinite(width):
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= width * (1 - 1e-9))
    return max(1.0, math.ceil(step)) if whole else step


def _bound(edge: str, of: pa.DataType) -> float:
    """What DuckDB compares a column with: of a FLOAT, decimals are rounded to its own digits; exponents are DOUBLE."""
    return float(np.float32(edge)) if pa.types.is_float32(of) and "e" not in edge else float(edge)


def _digits(value: float, *, whole: bool) -> str:
    """A number as SQL reads it."""
    return str(round(value)) if whole else f"{value:.9g}"


def _in_words(value: object) -> str:
    return (
        {"": "(none)", True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool | str) else str(value)
    )
