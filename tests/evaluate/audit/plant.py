"""Faults planted into a dataset that lies there: shards are rewritten in place, with a footer like the old."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.condition import decode, encode
from manifests.dataset import Dataset
from manifests.footer import FOOTER, write_shard
from manifests.index import build_index
from manifests.layout import IMAGES, SPLITS, SUFFIX
from manifests.storage import read_metadata, replace

Row = dict[str, Any]
Change = Callable[[list[Row]], list[Row]]


def rewrite(dataset: Dataset, family: str, change: Change) -> None:
    """Write every shard of a family with other rows, under the footer it had, and index it anew."""
    for name in dataset.shards(family):
        path = dataset.path(family, name)
        table = dataset.read(family, name)
        changed = pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema)
        if family == IMAGES:
            said = read_metadata(path).metadata[FOOTER]
            whole = changed.replace_schema_metadata({**(table.schema.metadata or {}), FOOTER: said})
            replace(lambda partial, whole=whole: pq.write_table(whole, partial, row_group_size=128), path)
        else:
            card = dataset.card(family)
            replace(lambda partial, changed=changed, card=card: write_shard(changed, partial, card=card), path)
    build_index(dataset)


def conditions(dataset: Dataset, family: str, change: Callable[[Any], Any], share: float = 1.0) -> None:
    """Change the conditions of a share of a family's rows, chosen by key."""
    kind = dataset.card(family).kind

    def each(row: Row) -> Row:
        if row["condition"] is None or not chosen(row, share):
            return row
        made = change(decode(kind, row["condition"]))
        height, width = np.shape(made)[:2] if isinstance(made, np.ndarray) else made.shape[:2]
        return row | {"condition": encode(kind, made), "width": width, "height": height}

    rewrite(dataset, family, lambda rows: [each(row) for row in rows])


def cells(dataset: Dataset, family: str, change: Callable[[Any], Any]) -> None:
    """Change what is stored of a family's conditions, past what `encode` lets through."""

    def each(row: Row) -> Row:
        return row if row["condition"] is None else row | {"condition": change(row["condition"])}

    rewrite(dataset, family, lambda rows: [each(row) for row in rows])


def rolled(rows: list[Row]) -> list[Row]:
    """Every row has the condition of the one before it, under its own key."""
    return [before | {"key": row["key"]} for row, before in zip(rows, [rows[-1], *rows[:-1]], strict=True)]


def failing(share: float) -> Change:
    """A share of the rows failed."""
    nothing = {"status": "failed", "code": "annotate", "error": "RuntimeError", "width": None, "height": None}

    def change(rows: list[Row]) -> list[Row]:
        return [row | nothing | {"condition": None, "stats": None} if chosen(row, share) else row for row in rows]

    return change


def chosen(row: Row, share: float) -> bool:
    """A share of all rows, by the last digits of their keys."""
    return int(row["key"][-4:], 16) < share * 16**4


def resplit(dataset: Dataset, splits: Sequence[str]) -> None:
    """Write other splits than were drawn, one for each row."""
    (path,) = (Path(dataset.root) / SPLITS).glob(f"*{SUFFIX}")
    table = pq.read_table(path)
    place = table.column_names.index("split")
    other = table.set_column(place, "split", pa.array(list(splits), pa.string()))
    replace(lambda partial: pq.write_table(other, partial), path)
    build_index(dataset)
