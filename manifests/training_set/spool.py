"""Rows that come in any order, brought into chunks of their own order on disk: no more than one chunk is in memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa


def in_chunks(tables: Iterable[pa.Table], folder: Path, rows: int) -> Iterator[tuple[int, pa.Table]]:
    """Number and table of every chunk, chunk n with the positions from n * rows on, in the order they came.

    Args:
        tables: with a column `position`, of which each is there once.
        folder: for the files in between, one to a chunk, gone when its chunk has been used.
        rows: of a chunk; the last may have fewer.
    """
    writers: dict[int, pa.RecordBatchStreamWriter] = {}
    for table in tables:
        of = table["position"].to_numpy() // rows
        for number in np.unique(of).tolist():
            inside = table.filter(pa.array(of == number))
            if number not in writers:
                writers[number] = pa.ipc.new_stream(str(_file(folder, number)), inside.schema)
            writers[number].write_table(inside)
    for writer in writers.values():
        writer.close()
    for number in sorted(writers):
        with pa.memory_map(str(_file(folder, number))) as mapped, pa.ipc.open_stream(mapped) as stream:
            yield number, stream.read_all()
        _file(folder, number).unlink()


def _file(folder: Path, number: int) -> Path:
    return folder / f"spool-{number:05d}"
