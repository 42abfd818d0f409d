"""The index: what is known of every row, one small table a family, joined by position when it is queried."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.footer import footer_of, read_footer
from manifests.layout import IMAGES, INDEX, SUFFIX, shard_name
from manifests.parallel import in_parallel
from manifests.removed import taken_down
from manifests.repeats import caption_hashes, repeats
from manifests.splits.clusters import CLUSTER_DIGITS, as_numbers, first_of_each, ranks, sizes
from manifests.splits.hashes import read_worth
from manifests.splits.splits import draw_splits, read_splits
from manifests.storage import open_table, read_columns, read_table, replace

ROWS = "rows"
RANK = "cluster_rank"


def build_index(dataset: Dataset) -> dict[str, int]:
    """Build the index of every family whose shards are all there, once all of images/ is.

    While an ingest is under way the index stays that of the parts before it. Of a family that lacks shards its first
    parts are indexed, as far as they are whole: for whoever pins them.

    A family of whose shards some are of other settings, for they are being made again, is not indexed either.

    Returns:
        Family → number of shards it still lacks; 0 where it was indexed.
    """
    names = dataset.planned()
    lacking = {family: len(dataset.missing(family, names)) for family in (IMAGES, *dataset.families())}
    if lacking[IMAGES]:
        return lacking
    parts = {int(part): list(of) for part, of in groupby(names, key=lambda name: name[:2])}
    for part, of in parts.items():
        draw_splits(dataset, part, of)
    _write(_rows(dataset, names, list(parts)), index_path(dataset, ROWS))
    for family in dataset.families():
        missing = dataset.missing(family, names)
        lacking[family] = len(missing)
        covered = names[: names.index(shard_name(int(missing[0][:2]), 0))] if missing else names
        path, other = index_path(dataset, family), first_parts_path(dataset, family)
        if missing:
            path, other = other, path
        other.unlink(missing_ok=True)
        table = _family(dataset, family, covered) if covered else None
        if table is None:
            path.unlink(missing_ok=True)
            lacking[family] += len(_outdated(dataset, family, covered))
        else:
            _write(table, path)
    return lacking


def forget_index(dataset: Dataset, family: str) -> None:
    """Take a family's index away: nobody draws from it until it is built again."""
    for path in (index_path(dataset, family), first_parts_path(dataset, family)):
        path.unlink(missing_ok=True)


def indexed_shards(dataset: Dataset) -> list[str]:
    """Names of the shards that the index covers: those of the parts that were whole when it was built.

    Raises:
        ValueError: As `read_index`.
    """
    names: list[str] = read_index(dataset, ROWS, ["shard"])["shard"].unique().to_pylist()
    return names


def read_index(
    dataset: Dataset, family: str, columns: list[str] | None = None, *, parts: Sequence[int] | None = None
) -> pa.Table:
    """The index table of a family, or of `rows`; or some of its columns.

    Args:
        parts: that are drawn from; None: all. With some, a family that is not whole has the rows of its first parts.

    Raises:
        ValueError: It is not there, or does not cover all rows.
    """
    index_schema(dataset, family, parts=parts)
    return read_table(covering_path(dataset, family, parts), columns=columns)


def index_schema(dataset: Dataset, family: str, *, parts: Sequence[int] | None = None) -> pa.Schema:
    """Columns of the index table of a family, or of `rows`; takes and raises as `read_index` does."""
    path = covering_path(dataset, family, parts)
    if not path.exists():
        raise ValueError(f"{dataset.root}: {family} is not indexed {_why_not(dataset, family)}")
    with open_table(path) as file:
        return file.schema_arrow


def _why_not(dataset: Dataset, family: str) -> str:
    """Why there is no index, in brackets, and what to do."""
    missing = f"({len(dataset.missing(family if family != ROWS else IMAGES))} shards are missing)"
    if family == ROWS:
        return f"{missing}. Finish it: python pipelines/ingest.py CORPUS {dataset.root}"
    card, outdated = dataset.card(family), len(_outdated(dataset, family, dataset.shards(family)))
    if outdated:
        remedy = card.command(dataset.root, refresh=True)
        return f"({outdated} shards were made under another fingerprint). Make them again: {remedy}"
    return f"{missing}. Finish it: {card.command(dataset.root)}"


def index_path(dataset: Dataset, family: str) -> UPath:
    """File of a family's index."""
    return dataset.root / INDEX / f"{family}{SUFFIX}"


def first_parts_path(dataset: Dataset, family: str) -> UPath:
    """File of the index of the first parts of a family that is not whole."""
    return dataset.root / INDEX / f"{family}.first{SUFFIX}"


def covering_path(dataset: Dataset, family: str, parts: Sequence[int] | None) -> UPath:
    """File of a family's index; where parts are pinned and it is not whole, that of its first ones."""
    path = index_path(dataset, family)
    return path if parts is None or path.exists() else first_parts_path(dataset, family)


def _rows(dataset: Dataset, names: Sequence[str], parts: Sequence[int]) -> pa.Table:
    """One row for each row of images/: where it is, its split and cluster, and what is known without a detector."""
    splits = read_splits(dataset, parts, ["cluster", "split"])
    tables = list(in_parallel(lambda name: _pictures(dataset, name), names))
    images = pa.concat_tables(tables)
    if len(splits) != len(images):
        raise ValueError(f"{dataset.root}: {len(splits)} rows have a split and {len(images)} are in images/")
    counts = [len(table) for table in tables]
    removed = taken_down(dataset, images["picture"])
    shard = pa.array(np.repeat(np.arange(len(names)), counts), pa.int32())
    return pa.table(
        {
            "key": images["key"],
            "part": pa.array(np.repeat([int(name[:2]) for name in names], counts), pa.int32()),
            "shard": pa.DictionaryArray.from_arrays(shard, pa.array(list(names), pa.string())),
            "row": images["row"],
            "split": splits["split"],
            "cluster": splits["cluster"],
            "cluster_size": pa.array(sizes(splits["cluster"])),
            **_standing(dataset, names, splits["cluster"], images.append_column("removed", removed)),
            "picture": images["picture"],
            "removed": removed,
            "width": images["width"],
            "height": images["height"],
            "captions": images["captions"],
            "caption_length": images["caption_length"],
            "caption_repeats": pa.array(repeats(images["caption_hash"])),
        }
    )


def _standing(
    dataset: Dataset, names: Sequence[str], clusters: pa.ChunkedArray, images: pa.Table
) -> dict[str, pa.Array]:
    """Which row of its cluster is the best; of clusters of near pictures the place of every row too, the best at 0.

    The best has most pixels, then colour, then most stored bytes, then the least key; those taken down come last.
    Where clusters are of equal pictures, all are as good and go together, and the first is called the best.
    """
    if dataset.settings.duplicates != "near":
        return {"best_of_cluster": pa.array(first_of_each(clusters))}
    worth = read_worth(dataset, names)
    area = np.multiply(images["width"].to_numpy(), images["height"].to_numpy(), dtype=np.int64)
    keys = as_numbers(images["key"])
    places = ranks(clusters, np.lexsort((keys, -worth.stored_bytes, ~worth.coloured, -area, images["removed"])))
    return {"best_of_cluster": pa.array(places == 0), RANK: pa.array(places)}


def _pictures(dataset: Dataset, name: str) -> pa.Table:
    """What the index keeps of one shard of images/."""
    images = read_columns(dataset.path(IMAGES, name), ["key", "sha256", "captions", "width", "height"])
    first = _first(images["captions"])
    return pa.table(
        {
            "key": images["key"],
            "picture": pc.utf8_slice_codeunits(images["sha256"], 0, CLUSTER_DIGITS),
            "row": pa.array(np.arange(len(images)), pa.int32()),
            "width": images["width"],
            "height": images["height"],
            "captions": pc.list_value_length(images["captions"]),
            "caption_length": pc.fill_null(pc.utf8_length(first), 0),
            "caption_hash": caption_hashes(first),
        }
    )


def _first(captions: pa.ChunkedArray) -> pa.Array:
    """Each picture's first caption; null where it has none."""
    return pc.list_slice(captions.combine_chunks(), 0, 1, return_fixed_size_list=True).flatten()  # padded with null


def _family(dataset: Dataset, family: str, names: Sequence[str]) -> pa.Table | None:
    """status and code of every row, then parameters and stats under their own names; None: some are outdated."""
    card = dataset.card(family)
    tables = list(in_parallel(lambda name: _conditions(dataset, card, name), names))
    known = [table for table in tables if table is not None]
    return pa.concat_tables(known).unify_dictionaries() if len(known) == len(tables) else None


def _outdated(dataset: Dataset, family: str, names: Sequence[str]) -> list[str]:
    """Those of these shards that were made under another fingerprint than the card has."""
    wanted = dataset.card(family).fingerprint
    made = in_parallel(lambda name: read_footer(dataset.path(family, name))["fingerprint"], names)
    return [name for name, fingerprint in zip(names, made, strict=True) if fingerprint != wanted]


def _conditions(dataset: Dataset, card: FamilyCard, name: str) -> pa.Table | None:
    """What the index keeps of one shard of a family; None where it was made under another fingerprint."""
    path = dataset.path(card.family, name)
    structs = [struct for struct, fields in (("parameters", card.parameters), ("stats", card.stats)) if fields]
    with open_table(path, read_dictionary=["status", "code"]) as file:
        if footer_of(file.metadata)["fingerprint"] != card.fingerprint:
            return None
        table = file.read(["status", "code", *structs], use_threads=False)
    flat = {"status": table["status"], "code": table["code"]}
    for struct in structs:
        for field in card.parameters if struct == "parameters" else card.stats:
            flat[field] = pc.struct_field(table[struct], field)
    return pa.table(flat)


def _write(table: pa.Table, path: UPath) -> None:
    replace(lambda partial: pq.write_table(table, partial, compression="zstd"), path)
