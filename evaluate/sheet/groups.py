"""Which rows a contact sheet shows, and why: drawn from all, from each stratum of a column, and of those not ok."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.page.render import short
from evaluate.selection import Column, Selection, measures
from evaluate.sheet.head import describe_column
from evaluate.strata import Stratum, as_numbers, extremes, is_number, smallest, strata
from manifests.splits.hashes import HASHES

EXTREMES = 2  # rows shown from either end of a column
EXAMPLES = 4  # of each code with which rows failed, and of those that are empty
DRAWN = "drawn by the hash of their keys"


@dataclass(frozen=True)
class Group:
    """Rows chosen by one rule.

    Attributes:
        title: "" where the section's says it.
        note: how many rows it stands for.
        rows: places in the index, in the order of the page.
        said: of each of them, what it was chosen for.
    """

    title: str
    note: str
    rows: tuple[int, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Groups under one heading, which an anchor of the page leads to."""

    anchor: str
    title: str
    note: str
    groups: tuple[Group, ...]
    drawing: str = ""  # an svg


def drawn_from_all(selection: Selection, rows: int) -> Section:
    """A few rows of all."""
    places = smallest(selection.hashes, selection.places, rows)
    note = f"{len(places):,} of {len(selection.places):,} rows, {DRAWN}."
    return Section("random", "At random", note, (Group("", "", tuple(places.tolist())),))


def columns_of(selection: Selection, by: Sequence[str]) -> list[Column]:
    """The columns that a user names; or of each family that has a picture or words its first stat, of others all.

    Not those of hashes, which the duplicates on the page come from.

    Raises:
        ValueError: there is no such column.
    """
    if by:
        return [selection.column(text) for text in dict.fromkeys(by)]
    columns = []
    for family, card in selection.cards.items():
        stats = measures(selection, family)
        if family != HASHES:
            columns += stats if card.kind == "scores" else stats[:1]
    return columns


def laid_out(selection: Selection, column: Column, rows: int) -> Section | None:
    """A column's strata with some rows of each, between its extremes; None if no row has a value.

    Args:
        rows: of all strata together; 0: the extremes alone, and None if all rows are alike.
    """
    values = selection.read(column)
    parts = strata(values, selection.places)
    if not parts or (len(parts) == 1 and not rows):
        return None
    each = max(1, rows // len(parts))
    numbers = as_numbers(values) if is_number(column.kind) else None
    groups = [_of_stratum(selection, part, column, each, numbers) for part in parts] if rows else []
    cuts: tuple[float, ...] = ()
    if numbers is not None and (not rows or any(part.low != part.high for part in parts)):
        least, greatest = extremes(numbers, selection.places, EXTREMES)
        groups.insert(0, _extreme(f"least {column.name}", least, column, numbers))
        groups.append(_extreme(f"greatest {column.name}", greatest, column, numbers))
        cuts = tuple(part.high for part in parts[:-1] if part.high is not None)
    stat = describe_column(selection, column, cuts)
    covered = sum(len(part.places) for part in parts)
    note = f"{covered:,} rows in {len(parts)} {'strata' if len(parts) > 1 else 'stratum'}, rows of each {DRAWN}."
    if rest := len(selection.places) - covered:
        what = "have no value" if numbers is not None else "have none of these values"
        note += f" {rest:,} rows ({_percent(rest / len(selection.places))}) {what}."
    return Section(f"by-{column.family}-{column.name}", column.title, note, tuple(groups), stat.drawing)


def not_ok(selection: Selection, status: str, title: str) -> Section | None:
    """Rows that failed, by family and code, or are empty, by family; None if there are none."""
    groups = [group for family in selection.cards for group in _by_code(selection, family, status)]
    if not groups:
        return None
    note = f"{EXAMPLES} examples of each at most, {DRAWN}."
    return Section(status, title, note, tuple(groups))


def _of_stratum(
    selection: Selection, part: Stratum, column: Column, count: int, numbers: NDArray[np.float64] | None
) -> Group:
    places = smallest(selection.order(column.title), part.places, count)
    note = f"{len(part.places):,} rows, {_percent(part.share)}"
    if numbers is None:
        return Group(part.name, note, tuple(places.tolist()))
    places = places[np.argsort(numbers[places], kind="stable")]
    said = _values(column, numbers[places]) if part.low != part.high else ()
    return Group(f"{column.name} {part.name}", note, tuple(places.tolist()), said)


def _extreme(title: str, places: NDArray[np.int64], column: Column, numbers: NDArray[np.float64]) -> Group:
    return Group(title, "", tuple(places.tolist()), _values(column, numbers[places]))


def _values(column: Column, numbers: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(f"{column.name} {short(number)}" for number in numbers.tolist())


def _by_code(selection: Selection, family: str, status: str) -> list[Group]:
    of_all = pc.equal(selection.read(Column(family, "status", pa.string())), status).to_numpy()
    places = selection.places[of_all[selection.places]]
    if not len(places):
        return []
    codes = selection.read(Column(family, "code", pa.string())).cast(pa.string()).take(pa.array(places))
    groups = []
    for entry in sorted(
        pc.value_counts(codes).to_pylist(), key=lambda entry: (-entry["counts"], entry["values"] or "")
    ):
        inside = places[pc.fill_null(pc.equal(codes, entry["values"]), False).to_numpy()]
        title = ", ".join(filter(None, (f"{family}: {status}", entry["values"])))
        note = f"{entry['counts']:,} rows, {_percent(entry['counts'] / len(selection.places))}"
        groups.append(Group(title, note, tuple(smallest(selection.hashes, inside, EXAMPLES).tolist())))
    return groups


def _percent(share: float) -> str:
    """A share with as many digits as tell it from none."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
