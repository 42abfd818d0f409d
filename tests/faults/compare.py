"""What a job left beside what it should have left: rows lost, rows there twice, files of other bytes."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from manifests.dataset import SETTINGS, Dataset
from manifests.storage import PARTIAL
from manifests.training_set import drawn

PASSING = {"logs", SETTINGS}  # a dataset's id is drawn once, and differs between two


TRAINING_SETS = "training_sets"


@dataclass(frozen=True)
class Difference:
    """Between two datasets.

    Attributes:
        lost: rows of the first, in all families, that the second lacks.
        duplicated: rows of the second beyond those of the first.
        files: names of those that only one has, or whose bytes differ.
    """

    lost: int
    duplicated: int
    files: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.lost or self.duplicated or self.files)


def contents(root: UPath) -> dict[str, bytes]:
    """Every file that a reader of the dataset may see, its training sets included."""
    cached = Path(os.environ["PAIRMILL_CACHE"], TRAINING_SETS, Dataset.open(root).settings.id)
    found = dict(_files(root)) | {f"{TRAINING_SETS}/{name}": data for name, data in _files(cached)}
    return {name: _timeless(name, data) for name, data in found.items()}


def rows(dataset: Dataset) -> Counter[tuple[str, str]]:
    """How often each key stands in each family."""
    families = ["images", "source", *dataset.families()]
    keys = {family: [dataset.read(family, name, ["key"]) for name in dataset.shards(family)] for family in families}
    return Counter(
        (family, key) for family, tables in keys.items() for table in tables for key in table["key"].to_pylist()
    )


def compare(wanted: UPath, made: UPath) -> Difference:
    """What distinguishes two datasets."""
    wanted_rows, made_rows = rows(Dataset.open(wanted)), rows(Dataset.open(made))
    wanted_files, made_files = contents(wanted), contents(made)
    names = wanted_files.keys() | made_files.keys()
    return Difference(
        lost=(wanted_rows - made_rows).total(),
        duplicated=(made_rows - wanted_rows).total(),
        files=tuple(sorted(name for name in names if wanted_files.get(name) != made_files.get(name))),
    )


def _timeless(name: str, data: bytes) -> bytes:
    """A record of a draw tells which files it was drawn from, by their id, inode and time: of those only the names."""
    if Path(name).name != drawn.FILE:
        return data
    record = json.loads(data)
    return json.dumps({**record, "state": sorted(record["state"])}).encode()


def _files(root: Path | UPath) -> Iterator[tuple[str, bytes]]:
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if path.is_file() and not any(part in PASSING or part.endswith(PARTIAL) for part in name.parts):
            yield str(name), path.read_bytes()
