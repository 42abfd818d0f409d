"""Rows of a training set: any of them at once, memory-mapped, from files that are opened when they are asked for."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

FILE_ROWS = 65_536  # of a file
BATCH_ROWS = 256  # of a record batch: what is looked at to find a row


class Rows:
    """The first rows of a training set, each a mapping of its columns; opening takes the same for any number."""

    def __init__(self, folder: Path, rows: int) -> None:
        self._folder = folder
        self._rows = rows
        self._files: dict[int, pa.RecordBatchFileReader] = {}

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: int) -> dict[str, Any]:
        if not 0 <= row < self._rows:
            raise IndexError(f"row {row} of {self._rows} in {self._folder}")
        batch = self._file(row // FILE_ROWS).get_batch(row % FILE_ROWS // BATCH_ROWS)
        return dict(batch.slice(row % BATCH_ROWS, 1).to_pylist()[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(self._rows))

    def __getstate__(self) -> dict[str, Any]:
        return {"_folder": self._folder, "_rows": self._rows, "_files": {}}  # another process opens them itself

    @cached_property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._file(0).schema.names)

    def column(self, name: str) -> list[Any]:
        """One column of all rows."""
        return [value for batch in self._batches() for value in batch[name].to_pylist()]

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, self._rows, BATCH_ROWS):
            batch = self._file(start // FILE_ROWS).get_batch(start % FILE_ROWS // BATCH_ROWS)
            yield batch.slice(0, self._rows - start)

    def _file(self, number: int) -> pa.RecordBatchFileReader:
        if number not in self._files:
            self._files[number] = pa.ipc.open_file(pa.memory_map(str(self._folder / file_name(number))))
        return self._files[number]


def file_name(number: int) -> str:
    """Name of a training set's file."""
    return f"data-{number:05d}.arrow"


def write_rows(folder: Path, tables: Iterable[pa.Table]) -> int:
    """Write tables as rows of a training set, one behind the other.

    Args:
        tables: each of a multiple of `BATCH_ROWS` rows that divides `FILE_ROWS`, but for the last.

    Returns:
        The number of files.
    """
    rows = 0
    with ExitStack() as stack:
        for table in tables:
            if rows % FILE_ROWS == 0:
                stack.close()
                path = folder / file_name(rows // FILE_ROWS)
                writer = stack.enter_context(pa.ipc.new_file(str(path), table.schema))
            for start in range(0, len(table), BATCH_ROWS):
                (batch,) = table.slice(start, BATCH_ROWS).combine_chunks().to_batches()
                writer.write_batch(batch)
            rows += len(table)
    return -(-rows // FILE_ROWS)
