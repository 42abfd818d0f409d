"""Which split a row belongs to: drawn once, when its part is first ingested, from a hash of its duplicate cluster."""

import hashlib
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manifests.dataset import Dataset
from manifests.layout import IMAGES, SPLITS, shard_path
from manifests.storage import publish, read_table

CLUSTER_DIGITS = 16  # of the sha256 that names a cluster of equal pictures
SPLIT = pa.schema([("shard", pa.string()), ("row", pa.int32()), ("cluster", pa.string()), ("split", pa.string())])


def split_of(cluster: str, *, salt: str, shares: Mapping[str, float]) -> str:
    """The split of a cluster: its salted hash, as a number in [0, 1), against the cumulated shares."""
    number = int(hashlib.sha256(f"{salt}:{cluster}".encode()).hexdigest()[:13], 16) / 16**13
    edge = 0.0
    for split in ("test", "validation"):
        edge += shares[split]
        if number < edge:
            return split
    return "train"


def draw_splits(dataset: Dataset, part: int) -> pa.Table:
    """Draw the splits of a whole part and freeze them, or read them if they are drawn.

    Rows are those of the part's images/ shards in order. Under `duplicates: exact` a cluster is the rows whose source
    bytes are equal, and its id the first 16 hex digits of their sha256.
    """
    path = shard_path(dataset.root, SPLITS, f"{part:02d}")
    if not path.exists():
        tables = [_draw_shard(dataset, name) for name in dataset.shards(IMAGES) if name.startswith(f"{part:02d}-")]
        table = pa.concat_tables(tables) if tables else SPLIT.empty_table()
        publish(lambda partial: pq.write_table(table, partial, compression="zstd"), path)
    return read_table(path)


def read_splits(dataset: Dataset) -> pa.Table:
    """The frozen splits of every part, in the order of the rows of images/: columns of `SPLIT`."""
    paths = sorted((dataset.root / SPLITS).glob("*.parquet"))
    return pa.concat_tables([read_table(path) for path in paths]) if paths else SPLIT.empty_table()


def _draw_shard(dataset: Dataset, name: str) -> pa.Table:
    clusters = pc.utf8_slice_codeunits(dataset.read(IMAGES, name, columns=["sha256"])["sha256"], 0, CLUSTER_DIGITS)
    settings = dataset.settings
    splits = [split_of(cluster, salt=settings.salt, shares=settings.splits) for cluster in clusters.to_pylist()]
    count = len(splits)
    columns = [pa.array([name] * count, pa.string()), pa.array(range(count), pa.int32()), clusters, splits]
    return pa.table(columns, schema=SPLIT)
