"""The index: what is known of every row, one small table a family, joined by position when it is queried."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from manifests.dataset import Dataset
from manifests.footer import read_footer
from manifests.layout import IMAGES, INDEX, SUFFIX
from manifests.removed import removed_clusters
from manifests.splits import draw_splits, read_splits
from manifests.storage import read_table, replace

ROWS = "rows"


def build_index(dataset: Dataset) -> dict[str, int]:
    """Build the index of every family whose shards are all there.

    Returns:
        Family → number of shards it still lacks; 0 where it was indexed. A family that lacks some has no index.
    """
    lacking = {IMAGES: len(dataset.missing(IMAGES))}
    if lacking[IMAGES] == 0:
        for part in sorted({int(name[:2]) for name in dataset.shards(IMAGES)}):
            draw_splits(dataset, part)
        _write(_rows(dataset), index_path(dataset, ROWS))
    for family in dataset.families():
        lacking[family] = len(dataset.missing(family)) + lacking[IMAGES]
        if lacking[family]:
            index_path(dataset, family).unlink(missing_ok=True)
        else:
            _write(_family(dataset, family), index_path(dataset, family))
    return lacking


def read_index(dataset: Dataset, family: str) -> pa.Table:
    """The index table of a family, or of `rows`.

    Raises:
        ValueError: It is not there, or does not cover all rows.
    """
    path = index_path(dataset, family)
    if not path.exists():
        what = "ingest" if family == ROWS else f"annotate.py {dataset.root} {family}"
        todo = f"{len(dataset.missing(family if family != ROWS else IMAGES))} shards are missing"
        raise ValueError(f"{dataset.root}: {family} is not indexed ({todo}). Finish it: python pipelines/{what}")
    return read_table(path)


def index_path(dataset: Dataset, family: str) -> UPath:
    """File of a family's index."""
    return dataset.root / INDEX / f"{family}{SUFFIX}"


def _rows(dataset: Dataset) -> pa.Table:
    """One row for each row of images/: where it is, its split and cluster, and what is known without a detector."""
    splits = read_splits(dataset)
    columns = ["key", "captions", "width", "height"]
    images = pa.concat_tables([dataset.read(IMAGES, name, columns=columns) for name in dataset.shards(IMAGES)])
    if len(splits) != len(images):
        raise ValueError(f"{dataset.root}: {len(splits)} rows have a split and {len(images)} are in images/")
    seen: set[str] = set()
    first = [not (cluster in seen or seen.add(cluster)) for cluster in splits["cluster"].to_pylist()]  # type: ignore[func-returns-value]
    return pa.table(
        {
            "key": images["key"],
            "part": pc.cast(pc.utf8_slice_codeunits(splits["shard"], 0, 2), pa.int32()),
            "shard": splits["shard"],
            "row": splits["row"],
            "split": splits["split"],
            "cluster": splits["cluster"],
            "first_of_cluster": pa.array(first, pa.bool_()),
            "removed": pc.is_in(splits["cluster"], pa.array(sorted(removed_clusters(dataset)), pa.string())),
            "width": images["width"],
            "height": images["height"],
            "captions": pc.list_value_length(images["captions"]),
            "caption_length": pc.utf8_length(pc.list_element(images["captions"], 0)),
        }
    )


def _family(dataset: Dataset, family: str) -> pa.Table:
    """status and code of every row, then parameters and stats under their own names."""
    card = dataset.card(family)
    columns = ["key", "status", "code", "width", "height"]
    columns += [name for name, fields in (("parameters", card.parameters), ("stats", card.stats)) if fields]
    for name in dataset.shards(family):
        made = read_footer(dataset.path(family, name))["fingerprint"]
        if made != card.fingerprint:
            raise ValueError(
                f"{dataset.path(family, name)}: made under fingerprint {made}, and {family} has {card.fingerprint}. "
                f"Make it again: python pipelines/annotate.py {dataset.root} {family} --refresh"
            )
    tables = [dataset.read(family, name, columns=columns) for name in dataset.shards(family)]
    table = pa.concat_tables(tables)
    flat = {"status": table["status"], "code": table["code"]}
    for struct, fields in (("parameters", card.parameters), ("stats", card.stats)):
        for name in fields:
            flat[name] = pc.struct_field(table[struct], name)
    return pa.table(flat)


def _write(table: pa.Table, path: UPath) -> None:
    replace(lambda partial: pq.write_table(table, partial, compression="zstd"), path)
