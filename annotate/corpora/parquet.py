"""Parquet files with a column of encoded pictures and one of captions."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotate.corpora.columns import check_caption_column, check_columns, find_captions, find_image_column
from annotate.corpora.files import check_fault, find
from annotate.corpora.format import Corpus, Lost, Raw, Reference

AT_ONCE = 64  # rows
BUFFER = 1 << 20  # bytes of a column that are read at once
CELL_FAULTS = (OSError, ValueError, LookupError, ArithmeticError, pa.ArrowException)  # of a row that can't be read


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Every row of every file, after a look at its columns."""
    for source in find(corpus.location, ".parquet"):
        try:
            file = pq.ParquetFile(source)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{source}: not Parquet, or cut short ({error}). Take it out, or fetch it again"
            ) from error
        _check_names(file.schema_arrow.names, source)
        check_columns(file.schema_arrow, corpus.provisions, source)
        find_image_column(file.schema_arrow, corpus, source)
        check_caption_column(file.schema_arrow.names, corpus.caption, source, needed=corpus.needs_captions)
        yield from (Reference(source, f"{row:09d}") for row in range(file.metadata.num_rows))


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw | Lost]:
    """Read the rows referred to; rows of one row group in turn cost one reading of it, up to the last one of them."""
    rows: _Rows | None = None
    for reference in references:
        try:
            group, row = _place(reference.source, int(reference.member))
            if rows is None or (rows.source, rows.group) != (reference.source, group) or row < rows.start:
                rows = _Rows(reference.source, group)
            record = rows.at(row)
        except MemoryError:  # arrow's is an ArrowException too, and no fault of the row
            raise
        except CELL_FAULTS as error:
            check_fault(error, Path(reference.source))
            yield Lost(reference, "unreadable", f"{type(error).__name__}: {error}")
            continue
        image = find_image_column(_schema(reference.source), corpus, reference.source)
        yield from_columns(reference, record, corpus, image=image)


def from_columns(reference: Reference, record: Mapping[str, Any], corpus: Corpus, *, image: str) -> Raw | Lost:
    """A record from a row's columns."""
    data = _contents(record[image])
    if not isinstance(data, bytes):
        return Lost(reference, "no_picture", f"no bytes in column {image}")
    about = {name: value for name, value in record.items() if name not in (image, *corpus.fields)}
    found = ((provision.family, _contents(record[provision.field])) for provision in corpus.provisions)
    provided = {family: cell for family, cell in found if cell is not None}
    return Raw(reference, data, find_captions(about, corpus.caption), about, provided)


def _contents(cell: Any) -> Any:
    """The bytes of a cell that holds a file; any other as it is."""
    return cell.get("bytes") if isinstance(cell, dict) and "bytes" in cell else cell


def _check_names(names: Sequence[str], source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{source}: more than one column is named {twice[0]!r}. Give each a name of its own")


@lru_cache(maxsize=16)
def _schema(source: str) -> pa.Schema:
    return pq.read_schema(source)


class _Rows:
    """Rows of one row group, forwards, few of them in memory: one group may hold a million pictures."""

    def __init__(self, source: str, group: int) -> None:
        self.source, self.group, self.start = source, group, 0
        file = pq.ParquetFile(source, pre_buffer=False, buffer_size=BUFFER)
        self._batches = file.iter_batches(AT_ONCE, row_groups=[group])
        self._batch: pa.RecordBatch | None = None
        self._fault: Exception | None = None  # beyond it nothing can be read

    def at(self, row: int) -> dict[str, Any]:
        """A row by its place in the group, none before `start`; what can't be read hides those behind it too."""
        while self._batch is None or row >= self.start + len(self._batch):
            self._step()
        return dict(self._batch.slice(row - self.start, 1).to_pylist()[0])

    def _step(self) -> None:
        if self._fault:
            raise self._fault
        try:
            batch = next(self._batches)
        except CELL_FAULTS as error:
            self._fault = error
            raise
        self.start += len(self._batch) if self._batch else 0
        self._batch = batch


@lru_cache(maxsize=16)
def _starts(source: str) -> list[int]:
    metadata = pq.read_metadata(source)
    starts = [0]
    for group in range(metadata.num_row_groups):
        starts.append(starts[-1] + metadata.row_group(group).num_rows)
    return starts


def _place(source: str, row: int) -> tuple[int, int]:
    """Row group and row within it."""
    starts = _starts(source)
    if row >= starts[-1]:
        raise IndexError(f"no row {row}: the file has {starts[-1]} rows, fewer than when it was listed")
    group = bisect_right(starts, row) - 1
    return group, row - starts[group]
