"""Folders that are whole or not there: written aside, synced, then put into place by a rename."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

ASIDE, OLDER = ".partial", ".older"  # endings of hidden folders beside the one they are about


def save_folder(write: Callable[[Path], None], target: Path) -> None:
    """Write a folder aside, then put it in the place of an older one; one process alone may do so.

    Args:
        write: writes everything into the folder it is given, which it may have to make.

    Raises:
        ValueError: It could not be written; what was there before is still there.
    """
    recover(target)
    aside = aside_of(target)
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with explained(target.parent):
            aside.mkdir(parents=True)
            write(aside)
            sync(aside)
            put_into_place(aside, target)
    except ValueError:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def recover(target: Path) -> None:
    """Bring back the older folder if a process was killed just before it put the newer one in its place."""
    older = _older(target)
    if older.is_dir() and not target.exists():
        older.rename(target)


def aside_of(target: Path) -> Path:
    """Where `target` is written until it is whole."""
    return target.with_name(f".{target.name}{ASIDE}")


def sync(folder: Path) -> dict[str, int]:
    """Bring every file of a folder onto the disk.

    Returns:
        The size of each in bytes, by its path within the folder. A file is opened before it is measured, so that what
        another machine has written and closed is seen (close-to-open consistency of network file systems).
    """
    sizes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sizes[str(path.relative_to(folder))] = _sync(path)
        elif path.is_dir():
            _sync(path)
    _sync(folder)
    return sizes


def put_into_place(aside: Path, target: Path) -> None:
    """Rename a synced folder to its name; what had it before goes away only afterwards."""
    older = _older(target)
    if target.exists():
        shutil.rmtree(older, ignore_errors=True)
        target.rename(older)
    aside.rename(target)
    _sync(target.parent)
    shutil.rmtree(older, ignore_errors=True)


def remove(folder: Path) -> None:
    """Take a folder away so that half of it never stands under its name."""
    older = _older(folder)
    shutil.rmtree(older, ignore_errors=True)
    folder.rename(older)
    shutil.rmtree(older)


def sweep(parent: Path) -> None:
    """Take away what killed processes left half written or half removed."""
    for leftover in [*parent.glob(f".*{ASIDE}"), *parent.glob(f".*{OLDER}")]:
        shutil.rmtree(leftover)


@contextmanager
def explained(parent: Path) -> Iterator[None]:
    """Say of a folder that cannot be written why, and what to do."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:  # torch.save raises RuntimeError on a full disk
        raise ValueError(
            f"{parent}: could not be written: {error}. Free some space, then start again with --resume"
        ) from error


def _older(target: Path) -> Path:
    return target.with_name(f".{target.name}{OLDER}")


def _sync(path: Path) -> int:
    """Bring a file or a folder's list of names onto the disk; give the size in bytes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        return os.fstat(handle).st_size
    finally:
        os.close(handle)
