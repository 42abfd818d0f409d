"""The rows a contact sheet shows, read from their shards: of each shard once, only the row groups that hold them."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from annotate.corpora.text import visible
from evaluate.page.panel import Panel, in_words, show
from evaluate.page.thumbnail import thumbnail
from evaluate.selection import Selection
from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.layout import IMAGES
from manifests.parallel import ahead
from manifests.row_groups import read_rows
from manifests.splits.hashes import is_hash

Record = dict[str, Any]
SIDE = 224  # pixels: thumbnails are no larger
LONG = 400  # characters of a caption that are shown
THREADS = 8  # each holds the row groups of one shard
UNREADABLE = (OSError, ValueError, SyntaxError)  # what Pillow raises at a damaged picture


@dataclass(frozen=True)
class Row:
    """One row of images/ with its conditions.

    Attributes:
        caption: from the corpus: untrusted text, escaped by the template.
        found: its shard and row.
        width: of the stored picture, in pixels.
        height: likewise.
        picture: data URI; "" where it does not open.
        figures: family → its stats in words, of families that have no picture of their own.
    """

    key: str
    split: str
    caption: str
    found: str
    width: int
    height: int
    picture: str
    panels: tuple[Panel, ...]
    figures: dict[str, str]


def read_shown(selection: Selection, places: Sequence[int], bare: Sequence[int]) -> dict[int, Row]:
    """Rows by their places in the index.

    Args:
        places: rows that are shown with their conditions.
        bare: rows of which the picture and its caption suffice.
    """
    wanted = sorted({*places, *bare})
    known = selection.index.select(["key", "shard", "row", "split"]).take(pa.array(wanted, pa.int64())).to_pylist()
    by_shard: dict[str, dict[int, Record]] = {}
    for place, record in zip(wanted, known, strict=True):
        by_shard.setdefault(record["shard"], {})[place] = record
    with ThreadPoolExecutor(THREADS) as pool:
        found = ahead(pool, partial(_read_shard, selection, frozenset(places)), by_shard.values(), THREADS)
        return {place: row for rows in found for place, row in rows.items()}


def clipped(text: str) -> str:
    """A text without what no reader sees, cut where it is very long."""
    text = visible(text)
    return text if len(text) <= LONG else f"{text[:LONG]} … ({len(text):,} characters)"


def _read_shard(selection: Selection, full: frozenset[int], wanted: Mapping[int, Record]) -> dict[int, Row]:
    """Rows of one shard, of `wanted` by their places; those in `full` with their conditions."""
    dataset = selection.dataset
    panels: dict[int, list[Panel]] = {place: [] for place in wanted}
    figures: dict[int, dict[str, str]] = {place: {} for place in wanted}
    within = {place: wanted[place] for place in wanted if place in full}
    for card in selection.cards.values() if within else ():
        for place, said in zip(within, _records(dataset, card.family, _columns(card), within.values()), strict=True):
            if card.kind == "scores":
                figures[place][card.family] = _figures(said)
            else:
                panels[place].append(_panel(card, said))
    stored = _records(dataset, IMAGES, ["captions", "image", "width", "height"], wanted.values())
    return {
        place: _row(wanted[place], of, tuple(panels[place]), figures[place])
        for place, of in zip(wanted, stored, strict=True)
    }


def _columns(card: FamilyCard) -> list[str]:
    structs = [struct for struct, fields in (("parameters", card.parameters), ("stats", card.stats)) if fields]
    return ["status", "code", *(["condition"] if card.kind != "scores" else []), *structs]


def _records(dataset: Dataset, family: str, columns: list[str], known: Collection[Record]) -> list[Record]:
    """Some columns of rows that lie in one shard."""
    numbers = np.array([record["row"] for record in known], np.int32)
    name = next(iter(known))["shard"]
    records: list[Record] = read_rows(dataset.path(family, name), columns, numbers).to_pylist()
    return records


def _row(known: Record, stored: Record, panels: tuple[Panel, ...], figures: dict[str, str]) -> Row:
    caption = clipped(next(iter(stored["captions"]), ""))  # a corpus may have none
    if len(stored["captions"]) > 1:
        caption += f" (and {len(stored['captions']) - 1} more)"
    try:
        picture = thumbnail(stored["image"]["bytes"], side=SIDE)
    except UNREADABLE:
        picture = ""
    found = f"{known['shard']} row {known['row']}"
    sides = stored["width"], stored["height"]
    return Row(known["key"], known["split"], caption, found, *sides, picture, panels, figures)


def _panel(card: FamilyCard, said: Record) -> Panel:
    if said["status"] == "failed" or said["condition"] is None:
        return Panel(card.family, said["status"], str(said["code"]))
    try:
        condition = decode(card.kind, said["condition"])
    except ValueError as error:
        return Panel(card.family, "damaged", str(error))
    values = in_words({**(said.get("parameters") or {}), **(said.get("stats") or {})})
    panel = show(card.family, card.kind, condition, status=said["status"], said=values, side=SIDE)
    return panel if not panel.words else Panel(panel.family, panel.status, panel.said, words=clipped(panel.words))


def _figures(said: Record) -> str:
    if said["status"] == "failed":
        return f"failed: {said['code']}"
    values = said.get("stats") or {}
    return in_words({name: value for name, value in values.items() if not is_hash(name)}) or said["status"]
