"""Wanted rows of many shards: what reading them will take, and the reading."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.dataset import Dataset
from manifests.layout import IMAGES
from manifests.manifest import Manifest
from manifests.parallel import in_parallel
from manifests.room import in_bytes
from manifests.row_groups import Cost, cost_of_rows, joined, read_rows

PICTURE = ("key", "captions", "image")  # columns read of images/
CONDITION = ("key", "condition", "width", "height")  # and of the condition's family
WORDS = ("key", "status", "condition")  # and of the family whose words replace the captions, if there is one
FURTHER = WORDS  # and of a further condition's
ENCODED = ("key", "condition")  # and of latents, of which rows without any are not drawn
OWN = ""  # captions: the corpus's


@dataclass(frozen=True)
class Families:
    """What a training reads: pictures, a family of conditions, and others where a manifest names them.

    Attributes:
        captions: a family of words, or `OWN`.
        further: families of conditions that are shown beside the first.
        latents: a family of encoded pictures, or "".
        pictures: whether the pictures themselves are read.
    """

    condition: str
    captions: str = OWN
    further: tuple[str, ...] = ()
    latents: str = ""
    pictures: bool = True

    @classmethod
    def of(cls, manifest: Manifest) -> "Families":
        """What the training of a manifest reads: no pictures where their latents are taken.

        Where pictures are encoded again, latents say of which squares.
        """
        pictures = not manifest.latents or manifest.engine.encode == "live"
        families = manifest.condition, manifest.captions, manifest.further_conditions, manifest.latents
        return cls(*families, pictures=pictures)

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """What is read, by family."""
        words = {self.captions: WORDS} if self.captions != OWN else {}
        further = dict.fromkeys(self.further, FURTHER)
        latents = {self.latents: ENCODED} if self.latents else {}
        pictures = PICTURE if self.pictures else PICTURE[:2]
        return {IMAGES: pictures, self.condition: CONDITION, **words, **further, **latents}


def column_of(family: str) -> str:
    """Column of a training set that holds a further condition; null where a row has none."""
    return f"condition:{family}"


Gather = Callable[[Dataset, Families, dict[str, pa.Table]], Iterable[pa.Table]]


@dataclass(frozen=True)
class Forecast:
    """What gathering rows will take.

    Attributes:
        reads: bytes, exactly those of the row groups that hold the rows (footers aside).
        writes: bytes, about.
        shards: that hold wanted rows, of `of`.
    """

    reads: int
    writes: int
    shards: int
    of: int

    def __str__(self) -> str:
        """As a line for the one who waits."""
        shards = f"{self.shards:,} shards (of {self.of:,})"
        return f"reads {in_bytes(self.reads)} of {shards}, writes about {in_bytes(self.writes)}"


def rows_by_shard(rows: pa.Table) -> dict[str, pa.Table]:
    """Drawn rows by shard, in the order of the shards' names, each with its `position` in the draw."""
    placed = rows.append_column("position", pa.array(np.arange(len(rows))))
    placed = placed.sort_by([("shard", "ascending"), ("position", "ascending")])
    runs = pc.run_end_encode(placed["shard"].combine_chunks())
    ends = runs.run_ends.to_pylist()
    starts = [0, *ends[:-1]]
    names = runs.values.to_pylist()
    return {name: placed.slice(start, end - start) for name, start, end in zip(names, starts, ends, strict=True)}


def forecast_reading(dataset: Dataset, families: Families, by_shard: Mapping[str, pa.Table]) -> Forecast:
    """Ask the footers of the shards that hold wanted rows."""

    def cost(name: str) -> list[Cost]:
        rows = by_shard[name]["row"].to_numpy()
        wanted = families.columns.items()
        return [cost_of_rows(dataset.path(family, name), columns, rows) for family, columns in wanted]

    costs = [of for both in in_parallel(cost, by_shard) for of in both]
    reads, writes = sum(of.read for of in costs), sum(of.kept for of in costs)
    return Forecast(reads, writes, len(by_shard), len(dataset.shards(IMAGES)))


def gather_in_turn(dataset: Dataset, families: Families, by_shard: dict[str, pa.Table]) -> Iterable[pa.Table]:
    """Read the wanted rows of one shard after the other."""
    for name, wanted in by_shard.items():
        yield gather_shard(dataset, families, name, wanted)


def gather_shard(dataset: Dataset, families: Families, name: str, wanted: pa.Table) -> pa.Table:
    """The wanted rows of one shard with their `position` in the draw; their keys are checked."""
    rows = wanted["row"].to_numpy()
    read = {
        family: read_rows(dataset.path(family, name), columns, rows) for family, columns in families.columns.items()
    }
    keys = wanted["key"].to_pylist()
    for family, table in read.items():
        if table["key"].to_pylist() != keys:
            raise ValueError(f"{dataset.path(family, name)}: its keys are not those of images/. Make the shard again")
    columns = {name: read[IMAGES][name] for name in families.columns[IMAGES]}
    columns |= {name: read[families.condition][name] for name in CONDITION[1:]}
    if families.captions != OWN:
        words = [as_captions(row) for row in read[families.captions].to_pylist()]
        columns["captions"] = pa.array(words, pa.list_(pa.string()))
    columns |= {column_of(family): _where_ok(read[family]) for family in families.further}
    if families.latents:
        columns["latents"] = read[families.latents]["condition"]
    return joined(pa.table({**columns, "position": wanted["position"]}))


def as_captions(row: Mapping[str, Any]) -> list[str]:
    """Words of one row of their family (its status and condition) in the place of captions; none if it is not ok."""
    return [row["condition"]["text"]] if row["status"] == "ok" else []


def _where_ok(table: pa.Table) -> pa.ChunkedArray:
    """Conditions of a family; null where the row's status is not ok."""
    return pc.if_else(pc.equal(table["status"], "ok"), table["condition"], None)
