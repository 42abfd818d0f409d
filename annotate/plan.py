"""The plan of a part: records of a corpus that no earlier part has, listed once, sorted, and dealt into shards."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from annotate.corpora import drawn
from annotate.corpora.format import Corpus, Reference
from annotate.corpora.playroom import CLASSES
from annotate.corpus import FORMATS, GENERATED
from manifests.dataset import SETTINGS, Dataset
from manifests.family import FamilyCard, create_card
from manifests.layout import PLAN, SHARD_ROWS, shard_path
from manifests.record import plan_schema
from manifests.storage import publish, read_metadata, read_table

SHARDS_AT_LEAST = 16  # of a corpus too small for full shards, so that several workers have something to do
SMALLEST_SHARD = 128  # rows
SHARDS_OF_A_GROUP = 16  # in a row group of the plan: to look its shard up, a worker reads no more
LAST_PART = 99  # two digits in the names of shards


def make_plan(root: UPath, corpus: Corpus, **settings: Any) -> Dataset:
    """List the corpus once, and begin the dataset; a dataset that was begun with this corpus keeps its plan.

    Args:
        settings: of dataset.json, as `splits` and `salt`.

    Raises:
        ValueError: an empty corpus, or another dataset is there.
    """
    if shard_path(root, PLAN, "00").exists():
        size = Dataset.open(root).settings.shard_rows
        return Dataset.create(root, corpus=str(corpus), shard_rows=size, **settings)
    if not (root / SETTINGS).exists() and _in_use(root):
        raise ValueError(f"{root}: other files are there, and no dataset. Choose a new or an empty folder")
    references = _listed(corpus)
    size = shard_rows(len(references))
    dataset = Dataset.create(root, corpus=str(corpus), shard_rows=size, **settings)
    for card in truth_cards(corpus):
        create_card(root, card)
    _write(dataset, 0, corpus, references)
    assert dataset.corpora()[0] == str(corpus), "nothing is appended before its plan"
    return dataset


def append_plan(root: UPath, corpus: Corpus) -> Dataset:
    """Plan a new part of what a corpus has and no part has yet; nothing new is no error, for a killed append goes on.

    Raises:
        ValueError: there is no dataset, or this corpus does not come with the exact conditions that its rows have.
    """
    dataset = Dataset.open(root)
    if not dataset.corpora():
        raise ValueError(f"{root}: its first corpus isn't planned yet. Ingest {dataset.settings.corpus} first")
    provided = {card.family: card.fingerprint for card in truth_cards(corpus)}
    there = {family: dataset.card(family) for family in dataset.families()}
    generated = {family: card.fingerprint for family, card in there.items() if card.annotator in GENERATED}
    if provided != generated:
        raise ValueError(
            f"{root}: its rows come with {', '.join(generated) or 'no exact conditions'}, those of {corpus} with "
            f"{', '.join(provided) or 'none'}. Ingest it into a dataset of its own"
        )
    fresh, part = _listed(corpus), 0
    while fresh:  # until a part has them; another job may have taken the number of ours for its own
        if part == len(dataset.corpora()):
            _write(dataset, part, corpus, fresh)
        known = set(read_plan(root, part))
        fresh = [reference for reference in fresh if reference not in known]
        part += 1
    return dataset


def _listed(corpus: Corpus) -> list[Reference]:
    references = sorted(FORMATS[corpus.format].plan(corpus))
    if not references:
        raise ValueError(f"corpus {corpus.location}: no pictures found. Give a folder, tar or table that holds some")
    return references


def _write(dataset: Dataset, part: int, corpus: Corpus, references: Sequence[Reference]) -> None:
    if part > LAST_PART:
        raise ValueError(f"{dataset.root}: it has {part} parts, and no more fit. Ingest all of it into a new dataset")
    size = dataset.settings.shard_rows
    sources = pa.array((reference.source for reference in references), pa.string())
    members = pa.array((reference.member for reference in references), pa.string())
    shards = pa.array(np.arange(len(references)) // size, pa.int32())
    table = pa.table([shards, sources, members], schema=plan_schema(str(corpus)))
    write = partial(
        pq.write_table,
        table,
        compression="zstd",
        row_group_size=SHARDS_OF_A_GROUP * size,
        use_dictionary=["source"],  # of members, all different, it makes a file four times the size
    )
    publish(write, shard_path(dataset.root, PLAN, f"{part:02d}"))


def _in_use(root: UPath) -> bool:
    return root.exists() and (not root.is_dir() or any(not path.name.startswith(".") for path in root.iterdir()))


def shard_rows(records: int) -> int:
    """Records to a shard: 2,048, fewer for a small corpus."""
    even = math.ceil(records / SHARDS_AT_LEAST / SMALLEST_SHARD) * SMALLEST_SHARD
    return min(SHARD_ROWS, max(SMALLEST_SHARD, even))


def planned_rows(dataset: Dataset, names: Sequence[str]) -> int:
    """Records that the plan has for whole parts, those of these shards."""
    parts = sorted({name[:2] for name in names})
    return sum(read_metadata(shard_path(dataset.root, PLAN, part)).num_rows for part in parts)


def planned(root: UPath, name: str) -> list[Reference]:
    """Records of one shard, in the order of its rows."""
    part, number = name.split("-")
    return read_plan(root, int(part), filters=[("shard", "=", int(number))])


def read_plan(root: UPath, part: int, **options: Any) -> list[Reference]:
    """Records of a part, or some of them: options of `pyarrow.parquet.read_table`."""
    table = read_table(shard_path(root, PLAN, f"{part:02d}"), **options)
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
            labels=list(CLASSES) if truth.kind == "classes" else [],
        )
        for family, truth in first.truth.items()
    ]
