"""A dataset as `datasets` and the Hub see it: a card with a configuration for each family, and families joined."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from manifests.card import describe
from manifests.dataset import Dataset
from manifests.layout import IMAGES, SOURCE, SUFFIX
from manifests.licences import count_licences, hub_licence
from manifests.markdown import page, size_category
from manifests.parallel import in_parallel
from manifests.removed import taken_down
from manifests.splits.clusters import CLUSTER_DIGITS
from manifests.storage import read_metadata, read_table, replace_text

CARD = "README.md"
SPLIT = "corpus"  # not a training split: which rows train is a manifest's business


class Extent(NamedTuple):
    """All shards of a family: 16 hex digits over their names, sizes and footers; their bytes; their rows."""

    digest: str
    size: int
    rows: int


def write_dataset_card(dataset: Dataset) -> None:
    """Write README.md: its YAML tells `datasets` which files are which family.

    `datasets` caches by this YAML and by the folder's name, not by what the files hold. So each configuration carries
    the digest of its shards as its description, and the card is to be rewritten whenever a shard changes. And it reads
    whatever files there are: so each configuration names its shards, and one that is missing is an error.
    """
    names, shards = [IMAGES, SOURCE, *dataset.families()], dataset.planned()
    found = {family: extent(dataset, family) for family in names}
    licences, rows = count_licences(dataset), found[IMAGES].rows
    header = {
        **hub_licence(list(licences.rows)),
        "size_categories": [size_category(rows)],
        "task_categories": ["text-to-image"],
        "tags": ["controlnet", "pairmill", *dataset.families()],
        "configs": [_config(family, shards) for family in names],
        "dataset_info": [_info(family, extent) for family, extent in found.items()],
    }
    replace_text(page(header, describe(dataset, rows, licences)), dataset.root / CARD)


def extent(dataset: Dataset, family: str) -> Extent:
    """How much a family's shards hold, and a digest of what."""
    return extent_of([dataset.path(family, name) for name in dataset.shards(family)])


def extent_of(paths: Sequence[UPath]) -> Extent:
    """The same of any Parquet files."""
    digest, size, rows = hashlib.sha256(), 0, 0
    for path, (bytes_of_file, metadata) in zip(paths, in_parallel(_size_and_footer, paths), strict=True):
        digest.update(f"{path.stem} {bytes_of_file} {metadata.num_rows} ".encode())
        digest.update(repr(sorted((metadata.metadata or {}).items())).encode())
        size, rows = size + bytes_of_file, rows + metadata.num_rows
    return Extent(digest.hexdigest()[:16], size, rows)


def join(dataset: Dataset, families: Sequence[str]) -> datasets.Dataset:
    """Pictures and families side by side: the columns of images/, and the others as FAMILY_column; no row taken down.

    Raises:
        ValueError: A family lacks rows, or its keys are not those of images/.
    """
    pictures = _whole(dataset, IMAGES)
    columns = {name: pictures[name] for name in pictures.column_names}
    features = dict(datasets.Features.from_arrow_schema(pictures.schema))
    for family in families:
        dataset.card(family)
        table = _whole(dataset, family)
        if not table["key"].equals(pictures["key"]):
            raise ValueError(f"{dataset.root}: {family} has other rows than images/ (or not all of them yet)")
        for name, feature in datasets.Features.from_arrow_schema(table.schema).items():
            if name != "key":
                columns[f"{family}_{name}"], features[f"{family}_{name}"] = table[name], feature
    schema = datasets.Features(features).arrow_schema
    joined = datasets.Dataset(pa.table([columns[name] for name in schema.names], schema=schema))
    gone = taken_down(dataset, pc.utf8_slice_codeunits(columns["sha256"], 0, CLUSTER_DIGITS)).to_numpy()
    return joined.select(np.flatnonzero(~gone)) if gone.any() else joined


def _whole(dataset: Dataset, family: str) -> pa.Table:
    """All shards of a family as one table, unpacked in memory."""
    mapped = isinstance(dataset.root, Path)
    shards = dataset.shards(family)
    return pa.concat_tables([read_table(dataset.path(family, name), memory_map=mapped) for name in shards])


def _size_and_footer(path: UPath) -> tuple[int, pq.FileMetaData]:
    return path.stat().st_size, read_metadata(path)


def _config(family: str, shards: Sequence[str]) -> dict[str, object]:
    paths = [f"{family}/{name}{SUFFIX}" for name in shards]
    config: dict[str, object] = {"config_name": family, "data_files": [{"split": SPLIT, "path": paths}]}
    return {**config, "default": True} if family == IMAGES else config


def _info(family: str, extent: Extent) -> dict[str, object]:
    splits = [{"name": SPLIT, "num_bytes": extent.size, "num_examples": extent.rows}]
    return {"config_name": family, "description": extent.digest, "splits": splits}
