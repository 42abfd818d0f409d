"""A contact sheet: rows of a dataset with their conditions side by side, in one HTML file that needs nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from evaluate.gallery import random_keys, thumbnail
from evaluate.panel import KINDS, Panel, in_words, show
from evaluate.render import render
from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import ROWS, index_path, read_index
from manifests.layout import IMAGES, ROW_GROUP
from manifests.record import STATUSES
from manifests.storage import open_table, replace_text

Record = dict[str, Any]
EXTREMES = 3  # rows shown from either end of a stat, and of those that are not ok


@dataclass(frozen=True)
class Row:
    """One row of images/ with its conditions."""

    key: str
    split: str
    caption: str  # from the corpus: untrusted text, escaped by the template
    picture: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Group:
    """Rows chosen by one rule."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Column:
    """One family: its card, its rows by status, and its stats as name → (least, median, greatest)."""

    card: FamilyCard
    statuses: dict[str, int]
    stats: dict[str, tuple[float, float, float]]


def write_sheet(dataset: Dataset, path: Path | UPath, *, rows: int) -> Path | UPath:
    """Write the sheet.

    Args:
        path: the HTML file.
        rows: chosen by the hash of their keys; those with extreme stats, and some that are not ok, come on top.

    Raises:
        ValueError: the dataset is not indexed, or no family of it can be shown.
    """
    whole = [dataset.card(family) for family in dataset.families() if index_path(dataset, family).exists()]
    cards = [card for card in whole if card.kind in KINDS]
    if not cards:
        raise ValueError(
            f"{dataset.root}: no whole condition that can be shown. "
            f"Make one: python pipelines/annotate.py {dataset.root} canny"
        )
    index = read_index(dataset, ROWS)
    shown = pc.invert(index["removed"])
    tables = {card.family: read_index(dataset, card.family).filter(shown) for card in cards}
    index = index.filter(shown)
    groups = [
        Group(title, tuple(_row(dataset, index, tables, cards, place) for place in places))
        for title, places in _choose(index, tables, cards, rows).items()
    ]
    columns = [_column(card, tables[card.family]) for card in cards]
    hidden = [family for family in dataset.families() if family not in tables]
    page = render("sheet.html.j2", dataset=dataset, index=index, columns=columns, groups=groups, hidden=hidden)
    replace_text(page, path)
    return path


def _choose(
    index: pa.Table, tables: dict[str, pa.Table], cards: Sequence[FamilyCard], rows: int
) -> dict[str, list[int]]:
    """Title of a group → places of its rows in the index; groups without rows are left out."""
    keys = index["key"].to_pylist()
    place_of = {key: place for place, key in reversed(list(enumerate(keys)))}
    groups = {"Random": [place_of[key] for key in random_keys(list(place_of), rows)]}
    for card in cards:
        table = tables[card.family]
        statuses = np.array(table["status"].to_pylist())
        for status in STATUSES[1:]:
            groups[f"{card.family}: {status}"] = np.flatnonzero(statuses == status)[:EXTREMES].tolist()
        for stat in card.stats:
            values = table[stat].to_numpy()
            order = [int(place) for place in np.argsort(values, kind="stable") if statuses[place] == "ok"]
            groups[f"{card.family}: least {stat}"] = order[:EXTREMES]
            groups[f"{card.family}: greatest {stat}"] = order[::-1][:EXTREMES]
    return {title: places for title, places in groups.items() if places}


def _row(
    dataset: Dataset, index: pa.Table, tables: dict[str, pa.Table], cards: Iterable[FamilyCard], place: int
) -> Row:
    known = index.slice(place, 1).to_pylist()[0]
    picture = _read(dataset, IMAGES, known, ["captions", "image"])
    panels = tuple(_panel(dataset, card, known, tables[card.family].slice(place, 1).to_pylist()[0]) for card in cards)
    caption = next(iter(picture["captions"]), "")  # a corpus may have none
    return Row(known["key"], known["split"], caption, thumbnail(picture["image"]["bytes"]), panels)


def _panel(dataset: Dataset, card: FamilyCard, known: Record, said: Record) -> Panel:
    if said["status"] == "failed":
        return Panel(card.family, "failed", str(said["code"]))
    cell = _read(dataset, card.family, known, ["condition"])["condition"]
    values = in_words({name: said[name] for name in (*card.parameters, *card.stats)})
    return show(card.family, card.kind, decode(card.kind, cell), status=said["status"], said=values)


def _read(dataset: Dataset, family: str, known: Record, columns: list[str]) -> Record:
    """One row of a shard, by reading no more than its row group."""
    group, place = divmod(known["row"], ROW_GROUP)
    with open_table(dataset.path(family, known["shard"])) as file:
        row: Record = file.read_row_group(group, columns).slice(place, 1).to_pylist()[0]
    return row


def _column(card: FamilyCard, table: pa.Table) -> Column:
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(table["status"]).to_pylist()}
    found = table.filter(pc.not_equal(table["status"], "failed"))
    stats = {name: tuple(np.quantile(found[name].to_numpy(), (0, 0.5, 1)).tolist()) for name in card.stats}
    return Column(card, {status: counts.get(status, 0) for status in STATUSES}, stats if len(found) else {})
