"""What every worker of a job keeps to: the right dataset, a tally of its rows, memory that is used again."""

import ctypes
import os
import time
from typing import Any

from manifests.dataset import Dataset

TELL_EVERY = 0.5  # seconds
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
KEPT = 1 << 25  # bytes; more is refused


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
