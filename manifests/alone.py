"""A folder that one process at a time writes: a second one is refused instead of writing between its lines."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder until the block is left or this process ends, however it ends; nothing is written for it.

    Where the file system knows no such locks, as some network mounts, every process is let in.

    Args:
        folder: made if it isn't there, and taken away again if it stays empty.

    Raises:
        ValueError: Another process of this machine, or of one that shares the file system's locks, has it.
    """
    there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ValueError(f"{folder}: another process is writing it. Wait for its end, or stop it") from error
        yield
    finally:
        os.close(handle)
        if not there:
            with suppress(OSError):  # it holds something now
                folder.rmdir()
