"""Files of a corpus: found without following links to folders, read only when they are files and of sensible size."""

import errno
import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from annotate.opening import Unusable

OF_ONE_FILE = (  # an error of anything else is the machine's
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM),
    *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
)
MAX_BYTES = 1 << 28  # of one picture, or of what is said about it


def walk(root: Path) -> Iterator[Path]:
    """Whatever is no folder below `root`, hidden things and folders behind links apart.

    Raises:
        OSError: a folder can't be listed: what lies in it would be left out without a word. A root that isn't there
            has nothing in it.
    """

    def stop(error: OSError) -> None:
        if root.exists():
            raise OSError(error.errno, f"can't be listed ({error.strerror})", error.filename) from error

    for folder, folders, names in os.walk(root, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def find(location: str, suffix: str) -> list[str]:
    """The files that a corpus's location means, sorted: one file, those of a folder, or those of a pattern.

    Raises:
        ValueError: one can't be read as a file, or can't be named in a plan.
    """
    path = Path(location)
    if path.is_dir():
        found = [str(file) for file in walk(path) if file.suffix.lower() == suffix]
    elif path.is_file():
        found = [location]
    else:
        found = [name for name in glob.glob(location, recursive=True) if not os.path.isdir(name)]
    for name in found:
        if not os.path.isfile(name):
            raise ValueError(f"{name}: a pipe, a device or a broken link, and no file. Take it out of the corpus")
        check_name(name)
    return sorted(found)


def check_name(name: str) -> None:
    """Refuse a path that can't be written down.

    Raises:
        ValueError: its bytes are not UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{os.fsencode(name)!r}: the name is not UTF-8. Rename it") from error


def read_file(path: Path) -> bytes:
    """Contents of a file, which a link may lead to.

    Raises:
        OSError: there is none, or it can't be read.
        Unusable: not_a_file (reading a pipe may take for ever), size.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("not_a_file", "a folder, a pipe or a device")
    if status.st_size > MAX_BYTES:
        raise Unusable("size", f"{status.st_size} bytes; the most is {MAX_BYTES}")
    return path.read_bytes()


def check_fault(error: Exception, home: Path) -> None:
    """Raise an error again unless it is of one file: what this node can't read, another may.

    Args:
        home: folder or file that was there when the corpus was listed.

    Raises:
        OSError: of a device, of too many open files, or of storage that isn't there, as an empty mount point.
    """
    number = getattr(error, "errno", None)
    away = not home.exists() or (home.is_dir() and _is_empty(home))
    if away or (number is not None and number not in OF_ONE_FILE):
        raise OSError(number, f"node {os.uname().nodename}, {home}: {error}") from error


def _is_empty(folder: Path) -> bool:
    """Whether nothing is in a folder, which may hold millions of files: the first one tells."""
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def is_within(path: Path, root: Path) -> bool:
    """Whether a file lies in the folder `root` with all links followed, or in its blobs, in a Hugging Face cache."""
    real, root = path.resolve(), root.resolve()
    homes = [root, *(above.parent / "blobs" for above in root.parents if above.name == "snapshots")]
    return any(real.is_relative_to(home) for home in homes)
