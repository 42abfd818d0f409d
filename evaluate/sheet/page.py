"""A contact sheet: rows of a dataset with their conditions side by side, in one HTML file that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from evaluate.page.render import render
from evaluate.selection import Column, Selection, select_rows
from evaluate.sheet.clusters import Cluster, Clusters, Piece, differences, find_clusters, in_words
from evaluate.sheet.groups import Section, columns_of, drawn_from_all, laid_out, not_ok
from evaluate.sheet.head import describe_families, row_counts
from evaluate.sheet.rows import SIDE, Row, read_shown
from manifests.dataset import Dataset
from manifests.room import in_bytes
from manifests.storage import replace_text


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents: where it leads, and how many rows are shown there."""

    anchor: str
    title: str
    rows: int


@dataclass(frozen=True)
class Twins:
    """A cluster of duplicates as it is shown: its rows, each with its caption in pieces."""

    cluster: Cluster
    said: str
    members: tuple[tuple[int, Row, tuple[Piece, ...]], ...]


def write_sheet(
    dataset: Dataset, path: Path | UPath, *, rows: int, by: Sequence[str] = (), where: str = ""
) -> Path | UPath:
    """Write the sheet: the same bytes for the same dataset.

    Args:
        path: the HTML file.
        rows: shown at random, and again for each column that is laid out in strata; a few extreme ones, a few that
            failed or are empty and the largest clusters of duplicates come on top.
        by: columns of the index to lay out, as edge_density or canny.edge_density; none: those that families choose.
        where: an expression over the index; other rows are left out.

    Raises:
        ValueError: the dataset is not indexed, no family of it is whole, or no such column or row is there.
    """
    selection = select_rows(dataset, where)
    sections = _sections(selection, rows, by)
    clusters = find_clusters(selection)
    places = [place for section in sections for group in section.groups for place in group.rows]
    shown = read_shown(selection, places, [place for cluster in clusters.largest for place in cluster.places])
    page = render(
        "sheet/page.html.j2",
        selection=selection,
        families=describe_families(selection),
        splits=row_counts(selection, "split"),
        parts=row_counts(selection, "part"),
        width=1 + sum(card.kind != "scores" for card in selection.cards.values()),
        contents=_contents(sections, clusters),
        sections=sections,
        rows=shown,
        side=SIDE,
        clusters=clusters,
        twins=_twins(clusters, shown),
        hidden={family: _lacking(dataset, family) for family in dataset.families() if family not in selection.cards},
        weight=in_bytes(_weight(places, clusters, shown)),
    )
    replace_text(page, path)
    return path


def _sections(selection: Selection, rows: int, by: Sequence[str]) -> list[Section]:
    columns = columns_of(selection, by)
    found = [
        drawn_from_all(selection, rows),
        *(laid_out(selection, column, rows if by or _drawn(selection, column) else 0) for column in columns),
        not_ok(selection, "failed", "Failed"),
        not_ok(selection, "empty", "Empty"),
    ]
    return [section for section in found if section]


def _drawn(selection: Selection, column: Column) -> bool:
    """Whether a column is of a family that has a picture or words; families of numbers have many stats."""
    card = selection.cards.get(column.family)
    return card is None or card.kind != "scores"


def _contents(sections: Sequence[Section], clusters: Clusters) -> dict[str, list[Entry]]:
    """Lines by heading."""
    lines: dict[str, list[Entry]] = {"Rows": [], "By column": []}
    for section in sections:
        rows = sum(len(group.rows) for group in section.groups)
        heading = "By column" if section.anchor.startswith("by-") else "Rows"
        lines[heading].append(Entry(section.anchor, section.title, rows))
    if clusters.largest:
        shown = sum(len(cluster.places) for cluster in clusters.largest)
        lines["Rows"].append(Entry("duplicates", "Duplicates", shown))
    return {heading: of for heading, of in lines.items() if of}


def _twins(clusters: Clusters, rows: dict[int, Row]) -> list[Twins]:
    found = []
    for cluster in clusters.largest:
        members = [rows[place] for place in cluster.places]
        pieces = differences([row.caption for row in members])
        found.append(Twins(cluster, in_words(cluster, rows), tuple(zip(cluster.places, members, pieces, strict=True))))
    return found


def _lacking(dataset: Dataset, family: str) -> str:
    missing, all_of_them = len(dataset.missing(family)), len(dataset.shards())
    return f"{missing} of {all_of_them} shards are missing" if missing else "not indexed"


def _weight(places: Sequence[int], clusters: Clusters, rows: dict[int, Row]) -> int:
    """Bytes of the pictures on the page, nearly all of it."""
    full = sum(len(panel.picture) for place in places for panel in rows[place].panels)
    bare = [*places, *(place for cluster in clusters.largest for place in cluster.places)]
    return full + sum(len(rows[place].picture) for place in bare)
