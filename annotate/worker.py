"""What every worker of a job keeps to: the right dataset, and trouble reported instead of raised."""

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any

from upath import UPath

from manifests.dataset import Dataset

ATTEMPTS = 3  # deaths of a worker over one shard, after which it is gone through with care
TELL_EVERY = 0.5  # seconds
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
KEPT = 1 << 25  # bytes; more is refused
STALE = 86_400  # seconds, after which nobody is still writing a file: its writer was killed


def open_same(root: str, dataset_id: str) -> Dataset:
    """Open the dataset that the driver means.

    Raises:
        ValueError: this node sees another one, or none, at that path.
    """
    dataset = Dataset.open(root)
    if dataset.settings.id != dataset_id:
        raise ValueError(
            f"node {os.uname().nodename}: {root} is another dataset there. Mount the same storage everywhere"
        )
    return dataset


def attempted(
    dataset: Dataset, name: str, stage: str, make: Callable[[str], None], carefully: Callable[[str], None]
) -> str:
    """Make a shard and say what went wrong.

    Args:
        carefully: makes one that has killed its worker three times, in processes whose death does no harm.

    Returns:
        "" when all went well.
    """
    folder = attempts_folder(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    deaths = sorted(folder.glob(f"{stage}-{name}.*"))
    marker = folder / f"{stage}-{name}.{len(deaths)}"
    marker.touch()
    try:
        (make if len(deaths) < ATTEMPTS else carefully)(name)
    except Exception as error:  # whatever it is, one shard must not end the job: Ray would throw the rest away
        return f"{type(error).__name__}: {error}"
    finally:
        marker.unlink(missing_ok=True)
    return ""


class Meter:
    """Tells a job's tally how many rows are through, twice a second at most: a call costs as much as an edge map."""

    def __init__(self, tally: Any) -> None:
        self.tally = tally
        self.rows = 0
        self.told = 0.0

    def __call__(self, rows: int) -> None:
        """Count more rows."""
        self.rows += rows
        if time.monotonic() - self.told > TELL_EVERY:
            self.flush()

    def flush(self) -> None:
        """Tell what has not been told."""
        self.tally.add.remote(self.rows)
        self.rows, self.told = 0, time.monotonic()


def keep_memory() -> None:
    """Keep the memory of freed pictures for the next ones.

    glibc maps a block of this size anew each time and gives it back, which costs a page fault for each of its pages:
    as much as decoding the picture.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, KEPT)
        libc.mallopt(M_TRIM_THRESHOLD, 8 * KEPT)


def clear_up(dataset: Dataset, stage: str) -> None:
    """Begin a job with a clean slate: only deaths within one job count against a shard; what they left goes."""
    for marker in attempts_folder(dataset).glob(f"{stage}-*"):
        marker.unlink(missing_ok=True)
    for partial in dataset.root.glob("*/.partial/*"):
        if time.time() - partial.stat().st_mtime > STALE:
            partial.unlink(missing_ok=True)


def attempts_folder(dataset: Dataset) -> UPath:
    """Where a worker leaves a marker while it makes a shard."""
    return dataset.root / "logs" / "attempts"
