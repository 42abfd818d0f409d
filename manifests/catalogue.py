"""What is derived from all shards, index and card, brought up to date whatever other jobs do meanwhile."""

from pathlib import Path

from upath import UPath

from manifests.dataset import Dataset
from manifests.hub import write_dataset_card
from manifests.index import build_index
from manifests.layout import IMAGES, REMOVED

TURNS = 5  # a job that goes on publishing brings index and card up to date itself, at its end


def catalogue(dataset: Dataset) -> dict[str, int]:
    """Build the index and write the card, and again if files have come, gone or changed: two jobs may end at once.

    Returns:
        Family → number of shards it still lacks; 0 where it was indexed.

    Raises:
        OSError: shards go while they are read, again and again.
    """
    for turn in range(TURNS):
        seen = _seen(dataset)
        try:
            lacking = build_index(dataset)
            write_dataset_card(dataset)
        except FileNotFoundError:  # a shard that another job withdrew, to make it again
            if turn == TURNS - 1:
                raise
            continue
        if _seen(dataset) == seen:
            break
    return lacking


def _seen(dataset: Dataset) -> dict[str, set[object]]:
    """What tells a file from the one that stood in its place before, of all that index and card are made from."""
    return {name: _stamps(dataset.root / name) for name in (IMAGES, REMOVED, *dataset.families())}


def _stamps(folder: UPath) -> set[object]:
    if not folder.exists():
        return set()
    if isinstance(folder, Path):
        status = [(path.name, path.stat()) for path in folder.glob("*.parquet")]
        return {(name, of.st_size, of.st_mtime_ns, of.st_ino) for name, of in status}
    return {
        (of["name"], of["size"], str(of.get("ETag") or of.get("etag"))) for of in folder.fs.ls(folder.path, detail=True)
    }
