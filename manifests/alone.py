"""A folder that one process at a time writes: a second one is refused, or waits, instead of writing into it."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_held = set[int]()  # handles; who is forked lets go of them, or it would hold on after this process has been killed


def _let_go() -> None:
    for handle in _held:
        os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


@contextmanager
def _kept(handle: int) -> Iterator[None]:
    """Keep a handle open within the block, in this process alone."""
    _held.add(handle)
    try:
        yield
    finally:
        if handle in _held:
            _held.remove(handle)
            os.close(handle)


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
        with _kept(handle):
            with suppress(OSError):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    why = "another process is writing it. Wait for its end, or stop it"
                    raise ValueError(f"{folder}: {why}") from error
            yield
    finally:
        if not there:
            with suppress(OSError):  # it holds something now
                folder.rmdir()


@contextmanager
def alone_beside(path: Path) -> Iterator[Path]:
    """An empty hidden folder beside `path`, in which one process at a time makes what is then renamed to it.

    Others wait here until it is done, and should then look whether they have anything to do. What a killed process left
    there is gone; what is not renamed is gone afterwards. Where the file system knows no locks, each has its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside, handle = _take(path)
    with _kept(handle):
        try:
            for left in aside.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield aside
        finally:
            if _is_at(handle, aside):  # else it was renamed, and another process may have made the next one
                shutil.rmtree(aside, ignore_errors=True)


def _take(path: Path) -> tuple[Path, int]:
    """The folder, held by its handle."""
    aside = path.with_name(f".{path.name}.partial")
    while True:
        aside.mkdir(exist_ok=True)
        try:
            handle = os.open(aside, os.O_RDONLY)
        except FileNotFoundError:  # taken away since
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            os.close(handle)
            own = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial"))
            own.chmod(0o755)
            return own, os.open(own, os.O_RDONLY)
        if _is_at(handle, aside):
            return aside, handle
        os.close(handle)  # renamed or taken away while this process waited


def _is_at(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except FileNotFoundError:
        return False
