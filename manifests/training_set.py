"""A training set: a subset as a memory-mapped Arrow set in draw order, so that a smaller subset is its prefix."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
from upath import UPath

from manifests.condition import CELLS, IMAGE
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.gather import Families, Gather, forecast_reading, gather_in_turn, rows_by_shard
from manifests.manifest import Manifest
from manifests.room import check_room
from manifests.spool import in_chunks
from manifests.storage import replace_text
from manifests.subset import Subset

MARKER = "complete.json"  # written last
CHUNK = 4_096  # rows of one Arrow file; what has to fit into memory


def _quiet(line: str) -> None:
    """Say nothing."""


def training_set_path(manifest: Manifest, subset: Subset) -> Path:
    """Folder of the training set, the same for every `rows` of one dataset, `where`, seed, parts and families."""
    identity: list[Any] = [subset.card.fingerprint, manifest.condition, manifest.where, manifest.seed, manifest.parts]
    if subset.words:
        identity += [subset.words.fingerprint, manifest.captions]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    return _root(manifest.dataset) / f"{manifest.condition}-{name}"


def ensure_training_set(
    subset: Subset, manifest: Manifest, gather: Gather | None = None, say: Callable[[str], None] = _quiet
) -> Path:
    """A training set that begins with the subset's rows: the one that is there, else a new one.

    Args:
        gather: reads the wanted rows of many shards, in any order; by default one shard after the other.
        say: told what a new one will read and write, before it does.

    Raises:
        ValueError: There is no room for it.
    """
    path = training_set_path(manifest, subset)
    families = Families(manifest.condition, manifest.captions)
    if not begins_with(path, subset):
        forecast = forecast_reading(subset.dataset, families, rows_by_shard(subset.rows))
        say(str(forecast))
        check_room(path.parent, forecast.writes, "Lower rows, or make room")
        build_training_set(subset, path, families, gather or gather_in_turn)
    return path


def begins_with(path: Path, subset: Subset) -> bool:
    """Whether a complete training set lies at `path` and its first rows are the subset's."""
    marker = path / MARKER
    if not marker.exists():
        return False
    keys = json.loads(marker.read_text())["keys"]
    return bool(keys[: len(subset.rows)] == subset.rows["key"].to_pylist())


def build_training_set(subset: Subset, path: Path, families: Families, gather: Gather) -> None:
    """Gather the subset's rows, put them into draw order, and write them aside; then put them into place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial"))
    try:
        by_shard = rows_by_shard(subset.rows)
        features = _features(subset.card)
        files = 0
        for number, table in in_chunks(gather(subset.dataset, families, by_shard), aside, CHUNK):
            ordered = table.sort_by("position").drop_columns("position").cast(features.arrow_schema)
            with pa.ipc.new_stream(str(aside / _file(number)), features.arrow_schema) as stream:
                stream.write_table(ordered, max_chunksize=256)
            files += 1
        keys = subset.rows["key"].to_pylist()
        text = json.dumps({"rows": len(keys), "files": files, "fingerprint": subset.fingerprint, "keys": keys})
        replace_text(text, aside / MARKER)
        aside.chmod(0o755)
        shutil.rmtree(path, ignore_errors=True)
        aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def open_training_set(path: Path, rows: int) -> datasets.Dataset:
    """The first `rows` rows: key, captions, image {bytes, path}, condition (as stored), width, height; memory-mapped.

    `width` and `height` are the condition's, in pixels.
    """
    described = json.loads((path / MARKER).read_text())
    files = [datasets.Dataset.from_file(str(path / _file(number))) for number in range(described["files"])]
    for column in ("image", "condition"):
        files = [_undecoded(part, column) for part in files]
    return datasets.concatenate_datasets(files).select(range(rows))


def _root(dataset: UPath) -> Path:
    """Folder of a dataset's training sets: memory-mapped, and so local, wherever the dataset lies."""
    if isinstance(dataset, Path):
        return dataset / "training_sets"
    cache = Path(os.environ.get("PAIRMILL_CACHE", "~/.cache/pairmill")).expanduser()
    return cache / "training_sets" / Dataset.open(dataset).settings.id


def _features(card: FamilyCard) -> datasets.Features:
    schema = pa.schema(
        [
            *(("key", pa.string()), ("captions", pa.list_(pa.string())), ("image", IMAGE)),
            *(("condition", CELLS[card.kind]), ("width", pa.int32()), ("height", pa.int32())),
        ]
    )
    return datasets.Features.from_arrow_schema(schema)


def _undecoded(part: datasets.Dataset, column: str) -> datasets.Dataset:
    feature = part.features[column]
    return part.cast_column(column, datasets.Image(decode=False)) if isinstance(feature, datasets.Image) else part


def _file(number: int) -> str:
    return f"data-{number:05d}.arrow"
