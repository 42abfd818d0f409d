"""The plan of a part: records of a corpus that no earlier part has, listed once, sorted, and dealt into shards."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from annotate.corpora import drawn
from annotate.corpora.format import Corpus, Reference
from annotate.corpora.playroom import CLASSES
from annotate.corpus import AT_INGEST, FORMATS, GENERATED
from annotate.provided.measures import stats_of
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
    _check_apart(root, corpus)
    cards, references = provided_cards(corpus), _listed(corpus)
    begun = (root / SETTINGS).exists()  # and killed before its plan; the corpus may have grown since
    size = Dataset.open(root).settings.shard_rows if begun else shard_rows(len(references))
    dataset = Dataset.create(root, corpus=str(corpus), shard_rows=size, **settings)
    for card in cards:
        create_card(root, card)
    _write(dataset, 0, corpus, references)
    assert dataset.corpora()[0] == str(corpus), "nothing is appended before its plan"
    return dataset


def _check_apart(root: UPath, corpus: Corpus) -> None:
    """Refuse a dataset within its own corpus, which would find it there the next time.

    Raises:
        ValueError: It is one.
    """
    folder = Path(corpus.location)
    if isinstance(root, Path) and folder.is_dir() and root.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{root}: it lies in its own corpus, {folder}. Choose a folder beside it")


def append_plan(root: UPath, corpus: Corpus) -> Dataset:
    """Plan a new part of what a corpus has and no part has yet; nothing new is no error, for a killed append goes on.

    Raises:
        ValueError: there is no dataset, or this corpus comes with conditions that its rows don't have.
    """
    _check_apart(root, corpus)
    dataset = Dataset.open(root)
    if not dataset.corpora():
        raise ValueError(f"{root}: its first corpus isn't planned yet. Ingest {dataset.settings.corpus} first")
    _check_provided(dataset, corpus)
    fresh, part = _listed(corpus), 0
    while fresh:  # until a part has them; another job may have taken the number of ours for its own
        if part == len(dataset.corpora()):
            _write(dataset, part, corpus, fresh)
        known = set(read_plan(root, part))
        fresh = [reference for reference in fresh if reference not in known]
        part += 1
    return dataset


def _check_provided(dataset: Dataset, corpus: Corpus) -> None:
    """Refuse a corpus with conditions that older rows lack, or have otherwise; it may have fewer than they."""
    there = {card.family: card for card in cards_at_ingest(dataset)}
    for card in provided_cards(corpus):
        if card.family not in there:
            raise ValueError(
                f"{dataset.root}: its rows come with {', '.join(there) or 'no conditions'}, those of {corpus} with "
                f"{card.family} too. Ingest it into a dataset of its own, or without {card.family}"
            )
        if card.fingerprint != there[card.family].fingerprint:
            raise ValueError(
                f"{dataset.root}: {card.family} of its rows is {there[card.family].settings}, that of {corpus} is "
                f"{card.settings}. Name it alike where it is alike, or ingest it into a dataset of its own"
            )


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


def provided_cards(corpus: Corpus) -> list[FamilyCard]:
    """Cards of the families that come with a corpus: those it is said to carry, or that a generated one knows.

    Raises:
        ValueError: a generated corpus is said to carry more.
    """
    if corpus.format not in GENERATED:
        return [provision.card for provision in corpus.provisions]
    if corpus.provisions:
        raise ValueError(f"corpus {corpus}: a generated corpus brings its own conditions. Leave --provided out")
    return [
        FamilyCard(
            family=family,
            annotator=corpus.format,
            version=2 if truth.kind == "keypoints" else 1,  # 1: other cells, the first pixel's centre at 0.5
            kind=truth.kind,
            settings={"seed": corpus.seed, "truth": family.removeprefix("truth_")},
            stats=stats_of(truth.kind),
            labels=list(CLASSES) if truth.kind == "classes" else [],
        )
        for family, truth in drawn.draw(corpus, 0).truth.items()
    ]


def cards_at_ingest(dataset: Dataset) -> list[FamilyCard]:
    """Cards of a dataset's families that ingest makes, sorted by name."""
    cards = (dataset.card(family) for family in dataset.families())
    return [card for card in cards if card.annotator in AT_INGEST]
