"""Where a dataset's files lie, and how one of them comes to be there: whole, or not at all."""

import errno
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path

SHARD_ROWS = 2_048  # rows of a shard: the unit of work, retry and completion
ROW_GROUP = 128  # rows of a Parquet row group: what a streaming reader holds at once
PARTIAL = ".partial"  # sub-folder for files being written; no pattern for shards looks into it
_SHARD = re.compile(r"(\d{2,})-(\d{6,})")
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def shard_name(part: int, number: int) -> str:
    """Name shard `number` of `part`: "00-000000"."""
    return f"{part:02d}-{number:06d}"


def parse_shard_name(name: str) -> tuple[int, int]:
    """The part and number that `shard_name` made a name of."""
    match = _SHARD.fullmatch(name)
    if match is None:
        raise ValueError(f"{name}: not the name of a shard, which reads like {shard_name(0, 0)}.")
    return int(match[1]), int(match[2])


def shard_path(root: Path, family: str, name: str) -> Path:
    """The file of shard `name` in `family`."""
    return root / family / f"{name}.parquet"


def part_path(root: Path, folder: str, part: int) -> Path:
    """The file of a whole part in `folder` ("plan", "splits")."""
    return root / folder / f"{part:02d}.parquet"


def complete_shards(root: Path, family: str) -> list[str]:
    """Names of the shards that `family` has, sorted; a file that exists is complete."""
    return sorted(path.stem for path in (root / family).glob("*.parquet") if _SHARD.fullmatch(path.stem))


def complete_parts(root: Path, folder: str) -> list[int]:
    """Numbers of the parts that `folder` has, sorted."""
    return sorted(int(path.stem) for path in (root / folder).glob("*.parquet") if path.stem.isdigit())


def publish(write: Callable[[Path], None], target: Path) -> None:
    """Make the file `target` whole or not at all; one that already exists wins.

    Args:
        write: writes the whole content to the path it is given, which lies beside `target` under another name.
        target: the final name. It appears only after the content has reached the disk.
    """
    with _aside(write, target) as aside:
        if not target.exists():
            _link_if_absent(aside, target)


def replace(write: Callable[[Path], None], target: Path) -> None:
    """Like `publish`, for the few files that may change (an index, a card): the new content wins."""
    with _aside(write, target) as aside:
        os.replace(aside, target)
        _sync(target.parent)


class _aside:
    """A complete and synced file beside `target`, gone when the block ends."""

    def __init__(self, write: Callable[[Path], None], target: Path) -> None:
        self.write, self.target = write, target
        # The suffix keeps an unfinished file from matching any "*.parquet".
        self.path = target.parent / PARTIAL / f"{target.name}.{uuid.uuid4().hex}"

    def __enter__(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.write(self.path)
            _sync(self.path)
        except OSError as error:
            self.path.unlink(missing_ok=True)
            if error.errno == errno.ENOSPC:
                way_out = "Free some space and run the same command again: it goes on from what is complete."
                raise OSError(errno.ENOSPC, f"{self.target}: the disk is full, nothing was written. {way_out}") from error
            raise
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        return self.path

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)


def _link_if_absent(source: Path, target: Path) -> None:
    """Give `source` the name `target` unless it is taken, in one step that no reader sees half of."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.replace(source, target)  # whoever was faster wrote the same bytes
    _sync(target.parent)


def _sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
