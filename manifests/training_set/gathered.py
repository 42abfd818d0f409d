"""Which shards a training set was gathered from, so that it is seen when one of them was made again."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from manifests.dataset import Dataset
from manifests.parallel import in_parallel
from manifests.storage import read_metadata
from manifests.training_set.gather import Families

FILE = "shards.json"
Marks = dict[str, str]  # FAMILY/SHARD → digest


def marks_of(dataset: Dataset, families: Families, shards: Iterable[str]) -> Marks:
    """Digests of the footers of these shards, which say of what and by which packages each was made."""
    names = [(family, shard) for family in families.columns for shard in shards]

    def mark(name: tuple[str, str]) -> str:
        metadata = read_metadata(dataset.path(*name))
        said = f"{metadata.num_rows} {metadata.serialized_size} {sorted((metadata.metadata or {}).items())!r}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    return {"/".join(name): found for name, found in zip(names, in_parallel(mark, names), strict=True)}


def write_marks(folder: Path, marks: Marks) -> None:
    """Keep them beside the training set."""
    (folder / FILE).write_text(json.dumps(marks))


def is_of(folder: Path, marks: Marks) -> bool:
    """Whether the training set was gathered from these very shards, among others."""
    return marks.items() <= json.loads((folder / FILE).read_text()).items()
