"""The keys of a subset in their order: hashed, kept and compared a piece at a time, however many there are."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

FILE = "keys.arrow"  # beside the training set's rows, in their order
SCHEMA = pa.schema([("key", pa.string()), ("wordless", pa.bool_())])  # wordless: without any caption
PIECE = 65_536  # keys that are Python's at a time


def fingerprint(lines: Sequence[str], keys: Iterable[pa.Array]) -> str:
    """First 16 hex digits of the sha256 over these lines, then the keys, one to a line."""
    digest = hashlib.sha256("\n".join(lines).encode())
    for piece in keys:
        for start in range(0, len(piece), PIECE):
            digest.update("".join(f"\n{key}" for key in piece.slice(start, PIECE).to_pylist()).encode())
    return digest.hexdigest()[:16]


def described(rows: pa.Table) -> pa.Table:
    """Of rows of a training set what is kept of their keys: columns of `SCHEMA`."""
    wordless = pc.equal(pc.list_value_length(rows["captions"]), 0)
    return pa.table([rows["key"], wordless], schema=SCHEMA)


def read_keys(folder: Path, rows: int) -> Iterator[pa.RecordBatch]:
    """Of the first `rows` rows of a training set what is kept of their keys; fewer if it has fewer."""
    with pa.OSFile(str(folder / FILE)) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            if rows <= 0:
                return
            yield batch.slice(0, rows)
            rows -= len(batch)


def begins_with(folder: Path, keys: pa.ChunkedArray) -> bool:
    """Whether the rows of a training set begin with these keys."""
    place = 0
    for batch in read_keys(folder, len(keys)):
        if keys.slice(place, len(batch)).combine_chunks() != batch["key"]:
            return False
        place += len(batch)
    return place == len(keys)
