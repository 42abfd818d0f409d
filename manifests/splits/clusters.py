"""Clusters of duplicates: their names as numbers, and which row stands for each, among millions."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.sql import compute

CLUSTER_DIGITS = 16  # hex, of the sha256 that names a picture, and a cluster by the least of its pictures


def first_of_each(clusters: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether a row is the first of its cluster: [N] bool."""
    return _firsts(as_numbers(clusters))


def first_in_order(clusters: pa.ChunkedArray, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of positions in some order those that are the first of their cluster there, in that order."""
    return order[_firsts(as_numbers(clusters)[order])]


def best_of_each(clusters: pa.ChunkedArray, ranks: pa.ChunkedArray) -> NDArray[np.int64]:
    """Positions of the rows of lowest rank, one of each cluster, in the order of the rows."""
    order = np.argsort(ranks.to_numpy(), kind="stable")
    return np.sort(first_in_order(clusters, order))


def sizes(clusters: pa.ChunkedArray) -> NDArray[np.int32]:
    """How many rows a row's cluster has: [N]."""
    _, which, counts = np.unique(as_numbers(clusters), return_inverse=True, return_counts=True)
    return counts[which].astype(np.int32)


def ranks(clusters: pa.ChunkedArray, order: NDArray[np.int64]) -> NDArray[np.int32]:
    """The place of each row among those of its cluster, 0 for the best: [N].

    Args:
        order: positions of all rows, better ones first.
    """
    numbers = as_numbers(clusters)[order]
    together = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[together], prepend=~numbers[together[:1]]))
    places = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    out = np.empty(len(order), np.int32)
    out[order[together]] = places
    return out


def as_numbers(names: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Names of clusters or pictures, 16 hex digits each, as numbers: [N]."""
    return compute("CAST('0x' || value AS UBIGINT)", names)


def as_names(numbers: NDArray[np.uint64]) -> pa.Array:
    """Numbers as 16 hex digits each."""
    octets = np.ascontiguousarray(numbers.astype(">u8"))[:, None].view(np.uint8)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[np.stack([octets >> 4, octets & 15], axis=2)]
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(numbers), [None, pa.py_buffer(digits.tobytes())])
    return fixed.cast(pa.binary()).cast(pa.string())


def _firsts(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether a number is there for the first time."""
    first = np.zeros(len(numbers), bool)
    first[np.unique(numbers, return_index=True)[1]] = True
    return first
