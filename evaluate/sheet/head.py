"""The head of a contact sheet: what made each family, how many of its rows are ok, and how its stats are spread."""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from evaluate.page.histogram import draw, of_names, of_numbers
from evaluate.page.render import short
from evaluate.selection import Column, Selection, measures
from evaluate.strata import VALUES, as_numbers, is_number
from manifests.family import FamilyCard
from manifests.record import STATUSES


@dataclass(frozen=True)
class Stat:
    """One column of the rows that are meant: least, median and greatest value in words, and how it is spread."""

    name: str
    said: str
    drawing: Markup


@dataclass(frozen=True)
class Family:
    """One family: its card, its weights' files by licence, its rows by status, its stats."""

    card: FamilyCard
    licences: dict[str, list[str]]
    statuses: dict[str, int]
    stats: tuple[Stat, ...]


def describe_families(selection: Selection) -> list[Family]:
    """All whole families, in the order of their names."""
    return [_describe(selection, family) for family in selection.cards]


def describe_column(selection: Selection, column: Column, cuts: tuple[float, ...] = ()) -> Stat:
    """How one column of the index is spread, against all rows where only some are meant.

    Args:
        cuts: values marked in the drawing.
    """
    values = selection.read(column)
    if not is_number(column.kind):
        return Stat(column.name, "", _draw_words(selection, column, values))
    numbers = as_numbers(values)
    found = numbers[selection.places]
    found = found[np.isfinite(found)]
    said = "no row has a value"
    if len(found):
        least, median, greatest = map(short, np.quantile(found, (0, 0.5, 1)).tolist())
        said = f"{least} to {greatest}, median {median}" if least != greatest else f"always {least}"
    histogram = of_numbers(numbers[selection.shown], selection.part)
    return Stat(column.name, said, draw(histogram, title=f"how {column.title} is spread", cuts=cuts))


def row_counts(selection: Selection, name: str) -> dict[str, int]:
    """Rows that are meant by the value of a column such as split or part, in the order of the values."""
    return _counts(selection.index[name].take(pa.array(selection.places)))


def _describe(selection: Selection, family: str) -> Family:
    statuses = selection.read(Column(family, "status", pa.string())).take(pa.array(selection.places))
    counts = _counts(statuses)
    stats = tuple(describe_column(selection, column) for column in measures(selection, family))
    card = selection.cards[family]
    licences: dict[str, list[str]] = {}
    for weights in card.weights:
        licences.setdefault(weights.licence, []).append(weights.file)
    return Family(card, licences, {status: counts.get(status, 0) for status in STATUSES}, stats)


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    return {
        str(entry["values"]): entry["counts"]
        for entry in sorted(pc.value_counts(values).to_pylist(), key=itemgetter("values"))
    }


def _draw_words(selection: Selection, column: Column, values: pa.ChunkedArray) -> Markup:
    words = values.cast(pa.string()).filter(pa.array(selection.shown))
    counts = pc.value_counts(words.drop_null())
    table = pa.table({"name": counts.field("values"), "rows": counts.field("counts")})
    order = pc.select_k_unstable(table, VALUES, [("rows", "descending"), ("name", "ascending")])
    most = [(row["name"], row["rows"]) for row in table.take(order).to_pylist()]
    part = None
    if selection.part is not None:
        meant = words.filter(pa.array(selection.part))
        part = [pc.sum(pc.equal(meant, name)).as_py() or 0 for name, _ in most]
    return draw(of_names(most, part), title=f"rows by {column.title}")
