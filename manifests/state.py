"""What a draw depends on in a dataset, told by a few small questions: where the answers are equal, so is the draw."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from upath import UPath

from manifests.dataset import Dataset
from manifests.index import ROWS, first_parts_path, index_path
from manifests.removed import requests

NONE = "none"  # mark of what is not there
DRAW = 1  # of this version's draws; another number and no older training set is taken for the same draw
State = dict[str, str]


def state_of(dataset: Dataset, families: Iterable[str], where: str = "") -> State:
    """Ask of the dataset what decides a draw from it; no row is read.

    The index is known by its files' size, time and number: it is only ever replaced by a new file, and is taken away
    before any shard is. Take-downs are known by their names, for their files never change.

    Args:
        families: that are drawn from.
        where: a condition may name columns of any family, so all families count where there is one.
    """
    names = sorted({*families, *(dataset.families() if where else [])})
    return {
        "draw": str(DRAW),
        "dataset": dataset.settings.id,
        "removed": hashlib.sha256("\n".join(requests(dataset)).encode()).hexdigest()[:16],
        **{f"index {name}": _indexed(dataset, name) for name in (ROWS, *names)},
        **{f"card {name}": dataset.card(name).fingerprint for name in names},
    }


def _indexed(dataset: Dataset, name: str) -> str:
    """What tells one index from another: of a family that is not whole, that of its first parts."""
    whole = _mark(index_path(dataset, name))
    return whole if whole != NONE else _mark(first_parts_path(dataset, name))


def _mark(path: UPath) -> str:
    """What tells one file at this place from another: "none" where there is no file."""
    if not path.exists():
        return NONE
    if isinstance(path, Path):
        found = path.stat()
        return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
    known = path.fs.info(path.path)
    stamps = (known.get(name) for name in ("size", "ETag", "etag", "LastModified", "updated", "mtime"))
    return " ".join(str(stamp) for stamp in stamps if stamp is not None)
