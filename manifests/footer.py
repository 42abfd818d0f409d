"""A shard's file: its rows, and in its footer what they were made from."""

import hashlib
import json
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
    said = {"keys": keys_digest(table), **(made_by(card) if card else {"packages": packages or {}})}
    metadata = (table.schema.metadata or {}) | {FOOTER: json.dumps(said, sort_keys=True).encode()}
    pq.write_table(
        table.replace_schema_metadata(metadata),
        path,
        row_group_size=ROW_GROUP,
        compression="zstd",
        use_dictionary=False,
    )


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


def keys_digest(table: pa.Table) -> str:
    """First 16 hex digits of the sha256 of the keys, one to a line."""
    return hashlib.sha256("\n".join(table["key"].to_pylist()).encode()).hexdigest()[:16]
