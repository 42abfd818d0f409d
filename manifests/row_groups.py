"""Rows of a shard, by reading the row groups that hold them and no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from upath import UPath

from manifests.storage import open_table, read_metadata


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
    """Some columns, those that the shard has, of some rows, in the order of `rows`."""
    with open_table(path) as file:
        ends = row_group_ends(file.metadata)
        groups = np.unique(np.searchsorted(ends, rows, side="right"))
        table = file.read_row_groups(groups.tolist(), list(columns))
    starts = np.append(0, ends[:-1])
    numbers = np.concatenate([np.arange(starts[group], ends[group]) for group in groups])
    return table.take(pa.array(np.searchsorted(numbers, rows)))


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
