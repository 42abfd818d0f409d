"""A shard's file: its rows, and in its footer what they were made from."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from manifests.family import FamilyCard
from manifests.layout import ROW_GROUP
from manifests.storage import read_metadata

FOOTER = b"pairmill"


def write_shard(
    table: pa.Table, path: Path, *, card: FamilyCard | None = None, packages: dict[str, str] | None = None
) -> None:
    """Write one shard of images/ or of a family.

    The footer holds, under `pairmill`, the digest of the key column, package versions, and for a family its fingerprint
    and those of the families it was made from.
    """
    _write(table.slice, table["key"].to_pylist(), table.schema, path, made_by(card) if card else _made_with(packages))


def write_pictures(rows: Sequence[dict[str, Any]], path: Path, *, schema: pa.Schema, packages: dict[str, str]) -> None:
    """Write one shard of images/, the same as `write_shard` writes, from rows that are not copied as a whole.

    Args:
        rows: each with the columns of `schema`, `key` among them.
    """

    def group(start: int, length: int) -> pa.Table:
        return pa.Table.from_pylist(list(rows[start : start + length]), schema=schema)

    _write(group, [row["key"] for row in rows], schema, path, _made_with(packages))


def _write(
    group: Callable[[int, int], pa.Table], keys: list[str], schema: pa.Schema, path: Path, making: dict[str, Any]
) -> None:
    """Write the rows of these keys, of which `group` gives so many from some row on."""
    said = {"keys": keys_digest(keys), **making}
    told = schema.with_metadata((schema.metadata or {}) | {FOOTER: json.dumps(said, sort_keys=True).encode()})
    with pq.ParquetWriter(path, told, compression="zstd", use_dictionary=False) as writer:
        for start in range(0, len(keys) or 1, ROW_GROUP):  # of no rows one group, which is empty
            writer.write_table(group(start, ROW_GROUP).replace_schema_metadata(told.metadata))


def _made_with(packages: dict[str, str] | None) -> dict[str, Any]:
    return {"packages": packages or {}}


def made_by(card: FamilyCard) -> dict[str, Any]:
    """What the footers of a family's shards say of their making."""
    return {"fingerprint": card.fingerprint, "made_from": card.made_from, "packages": card.packages}


def read_footer(path: Path | UPath) -> dict[str, Any]:
    """What a shard's footer says of it."""
    return footer_of(read_metadata(path))


def footer_of(metadata: pq.FileMetaData) -> dict[str, Any]:
    """What the footer says, of a file that is open."""
    said: dict[str, Any] = json.loads(metadata.metadata[FOOTER])
    return said


def keys_digest(keys: Sequence[str]) -> str:
    """First 16 hex digits of the sha256 of the keys, one to a line."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]
