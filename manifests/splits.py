"""Which split a row belongs to: drawn once from its duplicate cluster, then frozen."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.layout import complete_parts, parse_shard_name, part_path, publish
from manifests.record import keys_digest

if TYPE_CHECKING:
    from manifests.dataset import Dataset

SPLITS = ("train", "validation", "test")
SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "shard": pa.int32(),
        "row": pa.int32(),
        "cluster": pa.string(),  # rows of one cluster show the same picture
        "split": pa.string(),
    }
)


def cluster_of(sha256: str) -> str:
    """The duplicate cluster of a picture, by the exact hash of its source bytes."""
    return sha256[:16]


def draw_split(cluster: str, *, shares: Mapping[str, float], salt: str) -> str:
    """Draw a cluster's split: the same for every copy of a picture, in every part."""
    drawn = int(hashlib.sha256(f"{salt}:{cluster}".encode()).hexdigest()[:13], 16) / 16**13
    if drawn < shares["test"]:
        return "test"
    return "validation" if drawn < shares["test"] + shares["validation"] else "train"


def freeze_splits(dataset: "Dataset") -> None:
    """Draw the split of every row of each part that has all its images and no splits yet; never change one drawn."""
    missing = {parse_shard_name(name)[0] for name in dataset.missing("images")}
    for part in complete_parts(dataset.root, "plan"):
        target = part_path(dataset.root, "splits", part)
        if part not in missing and not target.exists():
            publish(partial(pq.write_table, _draw_part(dataset, part)), target)


def read_splits(dataset: "Dataset", part: int) -> pa.Table:
    """The frozen splits of a part: key, shard, row, cluster, split; in the order of its images."""
    path = part_path(dataset.root, "splits", part)
    if not path.exists():
        raise ValueError(f"{path}: this part has no splits yet. Finish its ingest: run the same ingest command again.")
    return pq.read_table(path, schema=SCHEMA)


def count_splits(dataset: "Dataset") -> dict[str, int]:
    """How many rows each split holds."""
    counts: Counter[str] = Counter({split: 0 for split in SPLITS})
    for part in complete_parts(dataset.root, "splits"):
        counts.update(read_splits(dataset, part)["split"].to_pylist())
    return dict(counts)


def check_aligned(splits: pa.Table, keys: pa.ChunkedArray) -> None:
    """Refuse splits that were drawn for other rows than the images at hand."""
    drawn, found = keys_digest(splits["key"].to_pylist()), keys_digest(keys.to_pylist())
    if drawn != found:
        raise ValueError(f"splits/: drawn for other rows (keys {drawn}) than images/ holds (keys {found}). Ingest anew.")


def _draw_part(dataset: "Dataset", part: int) -> pa.Table:
    tables = [SCHEMA.empty_table()]
    for name in dataset.shards("images"):
        if parse_shard_name(name)[0] == part:
            tables.append(_draw_shard(dataset, name))
    return pa.concat_tables(tables)


def _draw_shard(dataset: "Dataset", name: str) -> pa.Table:
    images = dataset.read("images", name, columns=["key", "sha256"])
    clusters = [cluster_of(sha256) for sha256 in images["sha256"].to_pylist()]
    settings = dataset.settings
    splits = [draw_split(cluster, shares=settings.splits, salt=settings.salt) for cluster in clusters]
    number = [parse_shard_name(name)[1]] * len(clusters)
    columns = [images["key"], number, list(range(len(clusters))), clusters, splits]
    return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA)
