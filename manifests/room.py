"""Disks, looked after before the work begins: hours are lost to one that is full in the middle."""

import shutil
from pathlib import Path

import psutil
from upath import UPath

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def check_room(folder: Path | UPath, needed: int, remedy: str) -> None:
    """Make sure that so many bytes fit where `folder` is, or will be; an object store always has room.

    Raises:
        ValueError: They don't; names the folder, what is needed and what is free.
    """
    if not isinstance(folder, Path):
        return
    free = free_bytes(folder)
    if needed > free:
        raise ValueError(
            f"{folder}: about {in_bytes(needed)} are needed there, and {in_bytes(free)} are free. {remedy}"
        )


def free_bytes(folder: Path) -> int:
    """What is free where a folder is, or will be."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def is_on_nfs(folder: Path) -> bool:
    """Whether a folder that is there lies on a network file system whose files vanish under other machines' readers."""
    there = folder.resolve()
    mounts = [one for one in psutil.disk_partitions(all=True) if there.is_relative_to(one.mountpoint)]
    mounts.reverse()  # of several on one point the last one counts, as NFS over the automounter's
    return bool(mounts) and max(mounts, key=lambda one: len(one.mountpoint)).fstype.startswith("nfs")


def in_bytes(count: float) -> str:
    """Bytes as 1.9 GB."""
    for unit in UNITS:
        if count < 999.5 or unit == UNITS[-1]:
            break
        count /= 1_000
    return f"{count:.0f} {unit}" if unit == UNITS[0] or count >= 99.5 else f"{count:.1f} {unit}"
