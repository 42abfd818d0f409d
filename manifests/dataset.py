"""A dataset as it lies on disk: its settings, its families and their shards, for reading."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator
from upath import UPath

from manifests import family as family_cards
from manifests.family import FamilyCard
from manifests.layout import DROPPED, IMAGES, PLAN, SHARD_ROWS, SOURCE, SUFFIX, shard_name, shard_path
from manifests.parallel import in_parallel
from manifests.record import CORPUS
from manifests.storage import locate, open_table, publish_text, read_metadata, read_table

SETTINGS = "dataset.json"
LAYOUT = 1
DEFAULT_SHARES = {"train": 0.96, "validation": 0.02, "test": 0.02}


# What a cluster is, which decides split and draw: pictures of equal source bytes, or also those whose hashes are near.
Duplicates = Literal["exact", "near"]


class Settings(BaseModel):
    """dataset.json: chosen when the dataset was begun, never rewritten."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    layout: int = LAYOUT
    duplicates: Duplicates = "exact"
    splits: dict[str, float] = DEFAULT_SHARES
    salt: str = ""
    shard_rows: int = SHARD_ROWS
    corpus: str = ""

    @model_validator(mode="after")
    def _sound(self) -> "Settings":
        if set(self.splits) != set(DEFAULT_SHARES) or abs(sum(self.splits.values()) - 1) > 1e-9:
            raise ValueError(f"splits must give shares of {', '.join(DEFAULT_SHARES)} that add to 1, not {self.splits}")
        return self


@dataclass(frozen=True)
class Dataset:
    """A folder of families. Construct with `open` or `create`."""

    root: UPath
    settings: Settings

    @classmethod
    def open(cls, root: UPath | Path | str) -> "Dataset":
        """Open an ingested dataset.

        Raises:
            ValueError: There is none, or one of another layout.
        """
        root = locate(root)
        path = root / SETTINGS
        if not path.exists():
            raise ValueError(f"{root}: no dataset is there. Make one: python pipelines/ingest.py CORPUS {root}")
        settings = Settings.model_validate_json(path.read_text())
        if settings.layout != LAYOUT:
            raise ValueError(f"{root}: layout {settings.layout}, and this version reads {LAYOUT}. Ingest it again")
        return cls(root, settings)

    @classmethod
    def create(cls, root: UPath | Path | str, **settings: Any) -> "Dataset":
        """Begin a dataset, or open the one that is there if it was begun with the same settings.

        Raises:
            ValueError: Another dataset is there.
        """
        root = locate(root)
        if isinstance(root, Path):
            root.mkdir(parents=True, exist_ok=True)
        asked = Settings(**settings)
        text = asked.model_dump_json(indent=1) + "\n"
        publish_text(text, root / SETTINGS)
        present = cls.open(root)
        for name, value in asked.model_dump(exclude={"id"}).items():
            there = getattr(present.settings, name)
            if there != value:
                raise ValueError(
                    f"{root}: another dataset is there: {name} is {there!r}, not {value!r}. Choose a folder"
                )
        return present

    def families(self) -> list[str]:
        """Names of the families of conditions, sorted."""
        return family_cards.families(self.root)

    def card(self, family: str) -> FamilyCard:
        """What made a family."""
        return family_cards.load_card(self.root, family)

    def planned(self) -> list[str]:
        """Names of all shards that ingest means to make, sorted."""
        names = []
        for path in sorted((self.root / PLAN).glob(f"*{SUFFIX}")):
            names += [shard_name(int(path.stem), number) for number in range(_planned(path))]
        return names

    def corpora(self) -> list[str]:
        """The corpus of each part, in order."""
        paths = sorted((self.root / PLAN).glob(f"*{SUFFIX}"))
        return [read_metadata(path).metadata[CORPUS].decode() for path in paths]

    def shards(self, family: str = IMAGES) -> list[str]:
        """Names of a family's shards that are there (and so complete), sorted."""
        return sorted(path.stem for path in (self.root / family).glob(f"*{SUFFIX}"))

    def missing(self, family: str, names: Sequence[str] | None = None) -> list[str]:
        """Names of the shards that a family has yet to make: of images/ for a condition, of the plan for images/.

        Args:
            names: that are wanted instead; what a job began with, whatever others append meanwhile.
        """
        if names is None:
            names = self.planned() if family in (IMAGES, SOURCE, DROPPED) else self.shards(IMAGES)
        present = set(self.shards(family))
        return [name for name in names if name not in present]

    def path(self, family: str, name: str) -> UPath:
        """File of one shard."""
        return shard_path(self.root, family, name)

    def read(self, family: str, name: str, columns: list[str] | None = None) -> pa.Table:
        """One shard, or some columns of it."""
        return read_table(self.path(family, name), columns=columns)

    def rows(self, family: str = IMAGES, names: Sequence[str] | None = None) -> int:
        """Number of rows in the shards that are there, or in some of them, from their footers."""
        paths = [self.path(family, name) for name in (self.shards(family) if names is None else names)]
        return sum(metadata.num_rows for metadata in in_parallel(read_metadata, paths))


def _planned(path: UPath) -> int:
    """Number of shards in a part's plan: its last row has the last one's."""
    with open_table(path) as file:
        if not file.metadata.num_rows:
            return 0
        last = file.read_row_group(file.num_row_groups - 1, ["shard"])["shard"]
    return int(last[-1].as_py()) + 1
