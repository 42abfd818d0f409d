"""Where a dataset may lie: a folder, or a prefix of an object store. The differences between the two end here."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

ADDRESS = re.compile(r"[a-z0-9]+:/")
PARTIAL = ".partial"  # folder of files that are being written, beside those that are whole


def locate(where: str | os.PathLike[str] | UPath) -> UPath:
    """A folder or file, or an address as s3://bucket/prefix; no listing is kept, for others write there too.

    Raises:
        ValueError: the library for such addresses isn't installed.
    """
    text = str(where)
    if "://" not in text or text.startswith("file://"):
        return UPath(text.removeprefix("file://"))
    try:
        place = UPath(text, use_listings_cache=False)
        assert place.fs is not None
    except (ImportError, ValueError) as error:
        extra = "gcs" if text.startswith(("gs:", "gcs:")) else "s3"
        raise ValueError(f"{text}: {error}. For buckets install the extra: pip install -e '.[{extra}]'") from error
    return place


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal digits; read once, unless its size or time changes."""
    there = path.stat()
    return _sha256(path, there.st_size, there.st_mtime_ns)


@cache
def _sha256(path: Path, _size: int, _modified: int) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def check_local(path: Path, what: str) -> None:
    """Refuse an address where only a path will do.

    Raises:
        ValueError: it is one.
    """
    if ADDRESS.match(str(path)):
        raise ValueError(f"{what} {path}: only a dataset may lie in an object store. Give a path that every node sees")


def publish(write: Callable[[Path], None], target: Path | UPath) -> None:
    """Write a file aside and put it into place whole; a file that is already there stays as it is.

    Args:
        write: writes the whole file to the path it is given, which does not end like the target.
    """
    with _written(write, target, target.parent / PARTIAL) as partial, suppress(FileExistsError):
        if isinstance(target, Path):
            os.link(partial, target)
            _sync(target.parent)
        else:
            _put_new(partial, target)


def replace(write: Callable[[Path], None], target: Path | UPath) -> None:
    """Write a file aside and put it in the place of whatever was there.

    An index or a card; of shards those alone that images/ doesn't vouch for yet.
    """
    with _written(write, target, target.parent) as partial:
        if isinstance(target, Path):
            partial.replace(target)
        else:
            target.fs.put_file(str(partial), target.path)


def publish_text(text: str, target: Path | UPath) -> None:
    """`publish` a small file."""
    publish(lambda partial: _write_text(partial, text), target)


def replace_text(text: str, target: Path | UPath) -> None:
    """`replace` a small file."""
    replace(lambda partial: _write_text(partial, text), target)


def read_table(path: Path | UPath, **options: Any) -> pa.Table:
    """A Parquet file, or some of it: options of `pyarrow.parquet.read_table`."""
    with _opened(path) as source:
        return pq.read_table(source, **options)


def read_columns(path: Path | UPath, columns: list[str], dictionaries: Sequence[str] = ()) -> pa.Table:
    """Some columns of a Parquet file, in this thread alone: half the work of `read_table`, where files are many.

    Args:
        dictionaries: of the columns those to come as dictionaries, for they repeat themselves.
    """
    with open_table(path, read_dictionary=list(dictionaries)) as file:
        return file.read(columns, use_threads=False)


def read_metadata(path: Path | UPath) -> pq.FileMetaData:
    """What a Parquet file's footer says: rows, groups and the writer's own metadata."""
    with _opened(path) as source:
        return pq.read_metadata(source)


@contextmanager
def open_table(path: Path | UPath, **options: Any) -> Iterator[pq.ParquetFile]:
    """A Parquet file to read row groups of. Options of `pyarrow.parquet.ParquetFile`."""
    with _opened(path) as source, pq.ParquetFile(source, pre_buffer=True, **options) as file:
        yield file


def _put_new(partial: Path, target: UPath) -> None:
    """Put a file where there is none.

    Raises:
        FileExistsError: there is one.
    """
    try:
        target.fs.put_file(str(partial), target.path, mode="create")
    except FileExistsError:
        raise
    except OSError as error:  # S3 refuses one of two writers at once, as a conflict, and a store may lose an answer
        if target.exists():
            raise FileExistsError(str(target)) from error
        target.fs.put_file(str(partial), target.path, mode="create")


@contextmanager
def _written(write: Callable[[Path], None], target: Path | UPath, beside: Path | UPath) -> Iterator[Path]:
    """The whole file, synced, where nobody takes it for the target: beside it, or here if that is another machine."""
    folder = beside if isinstance(beside, Path) else Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{target.name}.", suffix=PARTIAL)
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        _sync(partial)
        partial.chmod(0o644)
        yield partial
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path | UPath) -> Iterator[Any]:
    """What pyarrow reads from. It asks for the ranges it needs, and fsspec would read 50 MB ahead of each of them."""
    if isinstance(path, Path):
        yield str(path)
    else:
        with path.fs.open(path.path, "rb", cache_type="none") as file:
            yield file


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
