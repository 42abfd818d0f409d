"""The plan of a part: every record of a corpus, listed once, sorted, and dealt into shards."""

import math
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from annotate.corpora import drawn
from annotate.corpora.format import Corpus, Reference
from annotate.corpus import FORMATS, GENERATED
from manifests.dataset import SETTINGS, Dataset
from manifests.family import FamilyCard, create_card
from manifests.layout import PLAN, SHARD_ROWS, shard_path
from manifests.record import PLAN as SCHEMA
from manifests.storage import publish, read_metadata, read_table

SHARDS_AT_LEAST = 16  # of a corpus too small for full shards, so that several workers have something to do
SMALLEST_SHARD = 128  # rows


def make_plan(root: UPath, corpus: Corpus, **settings: Any) -> Dataset:
    """List the corpus once, and begin the dataset; a dataset that was begun with this corpus keeps its plan.

    Args:
        settings: of dataset.json, as `splits` and `salt`.

    Raises:
        ValueError: an empty corpus, or another dataset is there.
    """
    path = shard_path(root, PLAN, "00")
    if path.exists():
        size = Dataset.open(root).settings.shard_rows
        return Dataset.create(root, corpus=str(corpus), shard_rows=size, **settings)
    if not (root / SETTINGS).exists() and _in_use(root):
        raise ValueError(f"{root}: other files are there, and no dataset. Choose a new or an empty folder")
    references = sorted(FORMATS[corpus.format].plan(corpus))
    if not references:
        raise ValueError(f"corpus {corpus.location}: no pictures found. Give a folder, tar or table that holds some")
    size = shard_rows(len(references))
    dataset = Dataset.create(root, corpus=str(corpus), shard_rows=size, **settings)
    for card in truth_cards(corpus):
        create_card(root, card)
    sources, members = zip(*references, strict=True)
    shards = [number // size for number in range(len(references))]
    table = pa.table([shards, list(sources), list(members)], schema=SCHEMA)
    publish(partial(pq.write_table, table, compression="zstd"), path)
    return dataset


def _in_use(root: UPath) -> bool:
    return root.exists() and (not root.is_dir() or any(not path.name.startswith(".") for path in root.iterdir()))


def shard_rows(records: int) -> int:
    """Records to a shard: 2,048, fewer for a small corpus."""
    even = math.ceil(records / SHARDS_AT_LEAST / SMALLEST_SHARD) * SMALLEST_SHARD
    return min(SHARD_ROWS, max(SMALLEST_SHARD, even))


def planned_rows(dataset: Dataset) -> int:
    """Records in the plan."""
    return sum(read_metadata(path).num_rows for path in (dataset.root / PLAN).glob("*.parquet"))


def planned(root: UPath, name: str) -> list[Reference]:
    """Records of one shard, in the order of its rows."""
    part, number = name.split("-")
    table = read_table(shard_path(root, PLAN, part), filters=[("shard", "=", int(number))])
    return [Reference(row["source"], row["member"]) for row in table.to_pylist()]


def truth_cards(corpus: Corpus) -> list[FamilyCard]:
    """Cards of the families that a generated corpus knows by itself; none for other corpora."""
    if corpus.format not in GENERATED:
        return []
    first = drawn.draw(corpus, 0)
    return [
        FamilyCard(
            family=family,
            annotator=corpus.format,
            version=1,
            kind=truth.kind,
            settings={"seed": corpus.seed, "truth": family.removeprefix("truth_")},
        )
        for family, truth in first.truth.items()
    ]
