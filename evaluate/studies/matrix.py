"""A study of two axes or more as matrices: the last axis across, the one before it down."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluate.studies.ways import Grid, Way
from manifests.study import ROWS


@dataclass(frozen=True)
class Matrix:
    """Ways of a study in which all axes but two are fixed.

    Attributes:
        words: labels of the fixed axes; "": there are none.
        down, across: names of the two axes.
        columns: labels across.
        rows: label down → a way for each column; None where it has no score.
    """

    words: str
    down: str
    across: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[Way | None, ...]]


def matrices(grid: Grid) -> list[Matrix]:
    """The matrices of a study; none where it has one axis, or sizes, which are drawn as curves."""
    if len(grid.axes) < 2 or ROWS in grid.axes:
        return []
    *fixed, down, across = grid.axes
    columns = tuple(dict.fromkeys(way.labels[across] for way in grid.ways))
    groups: dict[str, list[Way]] = {}
    for way in grid.ways:
        groups.setdefault(", ".join(way.labels[axis] for axis in fixed), []).append(way)
    return [Matrix(words, down, across, columns, _rows(ways, down, across, columns)) for words, ways in groups.items()]


def _rows(ways: Sequence[Way], down: str, across: str, columns: Sequence[str]) -> dict[str, tuple[Way | None, ...]]:
    found = {(way.labels[down], way.labels[across]): way for way in ways}
    labels = dict.fromkeys(way.labels[down] for way in ways)
    return {label: tuple(found.get((label, column)) for column in columns) for label in labels}
