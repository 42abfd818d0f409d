"""Where the files of a dataset lie, and how a file comes to be there whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

SHARD_ROWS = 2_048  # records of the plan that make one shard
ROW_GROUP = 128  # rows of a Parquet row group
SUFFIX = ".parquet"
IMAGES, SOURCE, DROPPED, PLAN, SPLITS, INDEX = "images", "source", "dropped", "plan", "splits", "index"
RESERVED = frozenset({IMAGES, SOURCE, DROPPED, PLAN, SPLITS, INDEX, "rows", "training_sets", "logs"})


def shard_name(part: int, number: int) -> str:
    """Name of shard `number` of ingest `part`, as `00-000000`; names sort as the rows do."""
    return f"{part:02d}-{number:06d}"


def shard_path(root: Path, family: str, name: str) -> Path:
    """File of one shard of one family."""
    return root / family / f"{name}{SUFFIX}"


def publish(write: Callable[[Path], None], target: Path) -> None:
    """Write a file aside and put it into place whole; a file that is already there stays as it is.

    Args:
        write: writes the whole file to the path it is given, which does not end like the target.
    """
    aside = target.parent / ".partial"
    aside.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=aside, prefix=f"{target.name}.", suffix=".partial")
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        _sync(partial)
        partial.chmod(0o644)
        try:
            os.link(partial, target)
        except FileExistsError:
            return
        _sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def replace(write: Callable[[Path], None], target: Path) -> None:
    """Write a file aside and put it in the place of whatever was there (an index, a card: never a shard)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        _sync(partial)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
