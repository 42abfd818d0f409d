"""Which split a row belongs to: drawn once, when its part is first ingested, from a hash of its duplicate cluster."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manifests.dataset import Dataset
from manifests.layout import IMAGES, SPLITS, shard_path
from manifests.parallel import in_parallel
from manifests.salt import salted
from manifests.splits.clusters import CLUSTER_DIGITS, as_names, as_numbers
from manifests.splits.hashes import read_hashes
from manifests.splits.joining import Rows, join
from manifests.storage import publish, read_columns, read_table

SPLIT = pa.schema([("shard", pa.string()), ("row", pa.int32()), ("cluster", pa.string()), ("split", pa.string())])
NAMES = ("test", "validation", "train")  # and, under `duplicates: near`, EXCLUDED


def splits_of(clusters: pa.ChunkedArray, *, salt: str, shares: Mapping[str, float]) -> pa.Array:
    """The split of each cluster: 52 bits of its salted hash, as a number in [0, 1), against the cumulated shares."""
    numbers = (salted(clusters, salt) >> np.uint64(12)) / 2.0**52
    edges = [shares["test"], shares["test"] + shares["validation"]]
    places = np.searchsorted(edges, numbers, side="right")
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), NAMES).cast(pa.string())


def draw_splits(dataset: Dataset, part: int, names: Sequence[str]) -> None:
    """Draw the splits of a whole part, of these shards, and freeze them, unless they are drawn.

    Rows are those of the part's images/ shards in order. Under `duplicates: exact` a cluster is the rows whose source
    bytes are equal, and its id the first 16 hex digits of their sha256. Under `near` it is also the rows whose hashes
    are near; its id is the least of its pictures'. A cluster that is near to rows of an older part joins theirs, in
    their split; near to two splits, it is `excluded`.
    """
    path = shard_path(dataset.root, SPLITS, f"{part:02d}")
    if not path.exists():
        table = _draw(dataset, part, names)
        publish(partial(pq.write_table, table, compression="zstd"), path)


def read_splits(dataset: Dataset, parts: Sequence[int], columns: Sequence[str]) -> pa.Table:
    """The frozen splits of these parts, in the order of the rows of images/: some columns of `SPLIT`."""
    paths = [shard_path(dataset.root, SPLITS, f"{part:02d}") for part in parts]
    tables = [read_table(path, columns=list(columns), read_dictionary=["shard", "split"]) for path in paths]
    return pa.concat_tables(tables).unify_dictionaries() if paths else pa.table(SPLIT.empty_table().select(columns))


def picture_names(dataset: Dataset, name: str) -> pa.Array:
    """What tells pictures of different source bytes apart, of the rows of one shard: 16 hex digits of their sha256."""
    found = read_columns(dataset.path(IMAGES, name), ["sha256"])["sha256"]
    return pc.utf8_slice_codeunits(found, 0, CLUSTER_DIGITS).combine_chunks()


def _draw(dataset: Dataset, part: int, names: Sequence[str]) -> pa.Table:
    """Splits of the rows of these shards of images/."""
    found = list(in_parallel(lambda name: picture_names(dataset, name), names))
    pictures = pa.chunked_array(found, pa.string())
    counts = [len(of) for of in found]
    shards = pa.DictionaryArray.from_arrays(pa.array(np.repeat(np.arange(len(names)), counts), pa.int32()), list(names))
    rows = [np.arange(count) for count in counts]
    clusters, frozen = pictures, None
    if dataset.settings.duplicates == "near":
        clusters, frozen = _join(dataset, part, names, pictures)
    drawn = splits_of(clusters, salt=dataset.settings.salt, shares=dataset.settings.splits)
    columns = {
        "shard": shards.cast(pa.string()),
        "row": pa.array(np.concatenate(rows) if rows else [], pa.int32()),
        "cluster": clusters,
        "split": drawn if frozen is None else pc.coalesce(frozen, drawn),
    }
    return pa.table(columns, schema=SPLIT)


def _join(
    dataset: Dataset, part: int, names: Sequence[str], pictures: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.Array]:
    """Clusters of a part's rows by their hashes, and the splits of those that join, or touch, rows of older parts."""
    older = [name for name in dataset.planned() if int(name[:2]) < part]
    before = [int(number) for number in sorted({name[:2] for name in older})]
    frozen = read_splits(dataset, before, ["cluster", "split"])
    known = pa.chunked_array(in_parallel(lambda name: picture_names(dataset, name), older), pa.string())
    old = Rows(read_hashes(dataset, older), as_numbers(known))
    new = Rows(read_hashes(dataset, names), as_numbers(pictures))
    joined = join(new, old, as_numbers(frozen["cluster"]), frozen["split"].combine_chunks().cast(pa.string()))
    return pa.chunked_array([as_names(joined.clusters)]), joined.splits
