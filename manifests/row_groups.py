"""Rows of a shard, by reading the row groups that hold them and no others."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from upath import UPath

from manifests.storage import open_table, read_metadata

BATCH = 64  # rows, of up to some 30 MB each
JOINED = 1 << 31  # bytes, from which on arrow can't join the pieces of a column of pictures


@dataclass(frozen=True)
class Cost:
    """What reading some rows takes.

    Attributes:
        read: bytes of the row groups' columns as they are stored.
        kept: bytes of the wanted rows when they are unpacked: about, for rows of a group are taken as alike.
    """

    read: int
    kept: int


def read_rows(path: Path | UPath, columns: Sequence[str], rows: Sequence[int] | NDArray[np.int32]) -> pa.Table:
    """Some columns, those that the shard has, of some rows, in the order of `rows`.

    They come a batch at a time, for arrow does not read at once what has more than 2 GiB of pictures or conditions.
    """
    with open_table(path) as file:
        ends = row_group_ends(file.metadata)
        groups = np.unique(np.searchsorted(ends, rows, side="right"))
        starts = np.append(0, ends[:-1])
        numbers = np.concatenate([np.arange(starts[group], ends[group]) for group in groups])
        wanted, back = np.unique(np.searchsorted(numbers, rows), return_inverse=True)
        read = file.iter_batches(BATCH, row_groups=groups.tolist(), columns=list(columns))
        table = pa.Table.from_batches(list(_taken(read, wanted)))
    return table if np.array_equal(back, np.arange(len(table))) else reordered(table, back)


def reordered(table: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """The rows at these places; one by one where arrow can't join them beforehand."""
    if table.nbytes < JOINED:
        return table.take(pa.array(places))
    return pa.concat_tables([table.slice(place, 1) for place in places.tolist()])


def joined(table: pa.Table) -> pa.Table:
    """Each column in one piece, unless there are more bytes than arrow joins."""
    return table.combine_chunks() if table.nbytes < JOINED else table


def _taken(batches: Iterable[pa.RecordBatch], wanted: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
    """Of each batch the rows that are wanted, by their number in all of them, ascending."""
    start = 0
    for batch in batches:
        low, high = np.searchsorted(wanted, [start, start + len(batch)])
        if low < high or not start:  # the first one, for its columns
            yield batch.take(pa.array(wanted[low:high] - start))
        start += len(batch)


def cost_of_rows(path: Path | UPath, columns: Sequence[str], rows: NDArray[np.int32]) -> Cost:
    """What `read_rows` takes, from the footer."""
    metadata = read_metadata(path)
    groups, wanted = np.unique(np.searchsorted(row_group_ends(metadata), rows, side="right"), return_counts=True)
    read, kept = 0, 0.0
    for group, count in zip(groups.tolist(), wanted.tolist(), strict=True):
        described = metadata.row_group(group)
        for place in range(described.num_columns):
            column = described.column(place)
            if column.path_in_schema.partition(".")[0] in columns:
                read += column.total_compressed_size
                kept += column.total_uncompressed_size * count / described.num_rows
    return Cost(read, round(kept))


def row_group_ends(metadata: pq.FileMetaData) -> NDArray[np.int64]:
    """Where each row group of a shard ends: [G]."""
    return np.cumsum([metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)])
