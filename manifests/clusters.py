"""Clusters of duplicates: which row comes first of each, among millions."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.sql import compute

CLUSTER_DIGITS = 16  # hex, of the sha256 that names a cluster of equal pictures


def first_of_each(clusters: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether a row is the first of its cluster: [N] bool."""
    return _firsts(_numbers(clusters))


def first_in_order(clusters: pa.ChunkedArray, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of positions in some order those that are the first of their cluster there, in that order."""
    return order[_firsts(_numbers(clusters)[order])]


def _firsts(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether a number is there for the first time."""
    first = np.zeros(len(numbers), bool)
    first[np.unique(numbers, return_index=True)[1]] = True
    return first


def _numbers(clusters: pa.ChunkedArray) -> NDArray[np.uint64]:
    return compute("CAST('0x' || value AS UBIGINT)", clusters)
