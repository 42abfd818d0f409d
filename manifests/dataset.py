"""A dataset on disk: families of shards that are aligned with images/, row by row."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, PositiveInt, ValidationError, model_validator

from manifests.family import CARD, FamilyCard, load_card
from manifests.layout import SHARD_ROWS, complete_parts, complete_shards, part_path, publish, shard_name, shard_path
from manifests.splits import SPLITS

SETTINGS = "dataset.json"
LAYOUT = 1  # version of the files described in the README's "On disk"
SHARES: Mapping[str, float] = {"train": 0.96, "validation": 0.02, "test": 0.02}
PLAN = pa.schema({"shard": pa.int32(), "source": pa.string(), "member": pa.string()})


class Settings(BaseModel, frozen=True, extra="forbid"):
    """What was decided when the dataset was created; never rewritten."""

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    layout: Literal[1] = LAYOUT
    duplicates: Literal["exact"] = "exact"
    splits: dict[str, float] = Field(default_factory=lambda: dict(SHARES))
    # One salt for all: a picture has the same split in every dataset, so training on one never leaks into another's test.
    salt: str = "pairmill"
    shard_rows: PositiveInt = SHARD_ROWS
    corpus: str = ""

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if set(self.splits) != set(SPLITS) or min(self.splits.values()) < 0 or abs(sum(self.splits.values()) - 1) > 1e-6:
            raise ValueError(f"splits={self.splits}: give the shares of {', '.join(SPLITS)}, which add up to 1")
        return self


@dataclass(frozen=True)
class Dataset:
    """A dataset that exists; every method reads the disk, which is the truth."""

    root: Path
    settings: Settings

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        corpus: str = "",
        splits: Mapping[str, float] = SHARES,
        salt: str = "pairmill",
        shard_rows: int = SHARD_ROWS,
    ) -> Self:
        """Make an empty dataset, or open the one at `root`, which keeps its own settings."""
        settings = Settings(corpus=corpus, splits=dict(splits), salt=salt, shard_rows=shard_rows)
        content = json.dumps(settings.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"
        publish(lambda path: _write_text(path, content), root / SETTINGS)
        return cls.open(root)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open the dataset in the folder `root`."""
        path = root / SETTINGS
        if not path.is_file():
            raise ValueError(f"{root}: not a dataset (it has no {SETTINGS}). Make one: python pipelines/ingest.py CORPUS {root}")
        try:
            return cls(root, Settings.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            fault = error.errors()[0]
            field = ".".join(str(place) for place in fault["loc"])
            raise ValueError(f"{path}: {field}: {fault['msg']}. Restore the file: it is never edited by hand.") from error

    def families(self) -> list[str]:
        """The annotated families, sorted: folders with an `annotator.json`."""
        return sorted(path.parent.name for path in self.root.glob(f"*/{CARD}"))

    def card(self, family: str) -> FamilyCard:
        """Who made `family`."""
        if not (self.root / family / CARD).is_file():
            has = f"it has {', '.join(self.families())}" if self.families() else "it has none yet"
            raise ValueError(
                f"{self.root}: dataset has no condition {family!r} ({has}). "
                f"Make it: python pipelines/annotate.py {self.root} {family}"
            )
        return load_card(self.root, family)

    @cached_property
    def _planned(self) -> list[str]:
        names: set[str] = set()
        for part in complete_parts(self.root, "plan"):
            numbers = pq.read_table(part_path(self.root, "plan", part), columns=["shard"])["shard"].unique()
            names.update(shard_name(part, number) for number in numbers.to_pylist())
        return sorted(names)

    def planned(self) -> list[str]:
        """Names of all shards that the dataset will have, sorted."""
        return self._planned

    def shards(self, family: str) -> list[str]:
        """Names of the shards that `family` has, sorted."""
        return complete_shards(self.root, family)

    def missing(self, family: str) -> list[str]:
        """Names of the planned shards that `family` has not, sorted."""
        there = set(self.shards(family))
        return [name for name in self.planned() if name not in there]

    def path(self, family: str, name: str) -> Path:
        """The file of one shard."""
        return shard_path(self.root, family, name)

    def read(self, family: str, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one shard, or the named columns of it."""
        return pq.read_table(self.path(family, name), columns=None if columns is None else list(columns), partitioning=None)


def join(root: Path, families: Sequence[str]) -> datasets.Dataset:
    """Put families side by side: the columns of images/, and those of each family behind its name.

    The rows are held in memory; for a large dataset, stream single families instead
    (`datasets.load_dataset(DATASET, "canny", streaming=True)`), which are aligned row by row.
    """
    dataset = Dataset.open(root)
    for family in families:
        dataset.card(family)
        if dataset.missing(family):
            raise ValueError(
                f"{root / family}: {len(dataset.missing(family))} of {len(dataset.planned())} shards are missing. "
                f"Make them: python pipelines/annotate.py {root} {family}"
            )
    tables = [_join_shard(dataset, name, families) for name in dataset.shards("images")]
    if not tables:
        raise ValueError(f"{root}: has no images yet. Finish its ingest: run the same ingest command again.")
    return datasets.Dataset(pa.concat_tables(tables))


def _join_shard(dataset: Dataset, name: str, families: Sequence[str]) -> pa.Table:
    joined = dataset.read("images", name)
    features = datasets.Features.from_arrow_schema(joined.schema)
    keys = joined["key"]
    for family in families:
        table = dataset.read(family, name)
        if not table["key"].equals(keys):
            raise ValueError(f"{dataset.path(family, name)}: its keys are not those of images/. Delete it and annotate again.")
        table = table.drop_columns(["key"])
        for column, feature in datasets.Features.from_arrow_schema(table.schema).items():
            features[f"{family}_{column}"] = feature
            joined = joined.append_column(f"{family}_{column}", table[column])
    return joined.cast(features.arrow_schema)


def _write_text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
