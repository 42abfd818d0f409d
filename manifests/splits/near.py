"""Clusters of near-duplicates: rows joined by equal pictures or by hashes a few bits apart, directly or in a chain."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from manifests.splits.hamming import Hashes, Pairs, near_pairs
from manifests.splits.hashes import NONE

DISTANCE = 4  # bits of 64 that two copies of a picture may differ in
LARGEST = 4_000  # different hashes of a cluster, some four to a picture; in a longer chain fewer bits may differ
FULL = 20_000_000  # pairs that are held at once
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Capped:
    """A chain of near rows that was cut.

    Attributes:
        rows: positions of its rows.
        hashes: how many different ones they have.
        distance: bits that the least alike of those left together may differ in.
    """

    rows: Ids
    hashes: int
    distance: int


@dataclass(frozen=True)
class Clusters:
    """Labels of N rows: [N], equal where rows share a cluster. `capped` lists chains that were cut."""

    labels: Ids
    capped: list[Capped] = field(default_factory=list)


def cluster(hashes: Hashes, pictures: Hashes, *, distance: int = DISTANCE, largest: int = LARGEST) -> Clusters:
    """Cluster rows whose hashes are at most `distance` bits apart, any of one with any of the other.

    A chain of more than `largest` different hashes is no picture and its copies. It is taken apart with one bit less at
    a time, down to equal hashes, which stay together however many rows have them.

    Args:
        hashes: [N, K], `NONE` where a row lacks one: of a flat picture, whose hash would be noise, or that of every
            other flat picture. Such rows are near to those alone that have another hash in common, or the same picture.
        pictures: [N], what tells pictures of other source bytes apart; rows of one picture share a cluster, always.
    """
    labels, wide = _components(hashes, pictures, distance, largest)
    capped: list[Capped] = []
    for rows, count in wide:
        inside = cluster(hashes[rows], pictures[rows], distance=distance - 1, largest=largest)
        labels[rows] = labels.max() + 1 + inside.labels
        least = min([distance - 1, *(chain.distance for chain in inside.capped)])
        capped.append(Capped(rows, count, least))
    return Clusters(labels, capped)


def distinct(hashes: Hashes) -> tuple[Hashes, Hashes]:
    """Every hash once, ascending, and of these those that are there more than once; `NONE` is not among them."""
    ordered = np.sort(hashes, axis=None)
    ordered = ordered[np.searchsorted(ordered, NONE, side="right") :]
    again = np.zeros(len(ordered), bool)
    again[1:] = ordered[1:] == ordered[:-1]
    return ordered[~again], np.unique(ordered[again])


def places_of(wanted: Hashes, column: Hashes) -> tuple[Ids, Ids]:
    """Rows whose value is among `wanted` (ascending), and which of them it is."""
    if not len(wanted):
        return np.arange(0), np.arange(0)
    where = np.searchsorted(wanted, column)
    where[where == len(wanted)] = 0
    rows = np.flatnonzero(wanted[where] == column)
    return rows, where[rows]


def _components(hashes: Hashes, pictures: Hashes, distance: int, largest: int) -> tuple[Ids, list[tuple[Ids, int]]]:
    """Labels of rows, and of the components with more different hashes than `largest` the rows and that number."""
    values, again = distinct(hashes)
    first, second = _near_values(values, distance)
    del values
    shared = np.unique(np.concatenate([again, first, second]))
    same = distinct(pictures)[1]
    rows = len(hashes)
    edges = [places_of(shared, column) for column in hashes.T]
    edges = [(row, place + rows) for row, place in edges]
    of_hash = np.concatenate([np.arange(0), *(place for _, place in edges)])
    having = np.concatenate([np.arange(0), *(row for row, _ in edges)])
    edges += [(row, place + rows + len(shared)) for row, place in [places_of(same, pictures)]]
    edges += [(np.searchsorted(shared, first) + rows, np.searchsorted(shared, second) + rows)]
    labels = _connected(rows + len(shared) + len(same), edges)
    counts = np.bincount(labels[np.unique(of_hash)], minlength=1) if len(of_hash) else np.zeros(1, int)
    wide: list[tuple[Ids, int]] = []
    if distance > 0:
        members = np.unique(having)
        for label in np.flatnonzero(counts > largest):
            wide.append((members[labels[members] == label], int(counts[label])))
    return labels[:rows], wide


def _near_values(values: Hashes, distance: int) -> Pairs:
    """Pairs of near hashes; where there are too many to hold, those that join the same hashes in a chain."""
    held: list[Pairs] = []
    count = 0
    for pair in near_pairs(values, distance):
        held.append(pair)
        count += len(pair[0])
        if count > FULL:
            held = [_spanning(_joined(held))]
            count = len(held[0][0])
    return _joined(held)


def _connected(nodes: int, edges: Iterable[tuple[Ids, Ids]]) -> Ids:
    """Which component each node is of."""
    starts, ends = (np.concatenate(side) for side in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(starts), np.int8), (starts, ends)), shape=(nodes, nodes)).tocsr()
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _joined(held: list[Pairs]) -> Pairs:
    none = np.zeros(0, np.uint64)
    return np.concatenate([none, *(first for first, _ in held)]), np.concatenate([none, *(other for _, other in held)])


def _spanning(pairs: Pairs) -> Pairs:
    """Fewer pairs with the same components: each value with the least of its component."""
    values = np.unique(np.concatenate(pairs))
    labels = _connected(len(values), [(np.searchsorted(values, pairs[0]), np.searchsorted(values, pairs[1]))])
    least = np.unique(labels, return_index=True)[1][labels]
    others = np.flatnonzero(least != np.arange(len(values)))
    return values[least[others]], values[others]
