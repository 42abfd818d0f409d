"""Hashes near to others: of a thousand among millions the nearest of each, and all that are a few bits away."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.parallel import in_parallel
from manifests.splits.hamming import WIDTH, Hashes, bands_of
from manifests.splits.hashes import NONE

FAR = WIDTH + 1  # bits: from what has no hash
QUERIES, VALUES = 16, 1 << 14  # compared at once: 2 MiB, which stay in a core's cache
PIECE = 1 << 20  # values that are sorted at once
CANDIDATES = 1 << 22  # pairs that are held at once
Places = NDArray[np.int64]


class Nearest(NamedTuple):
    """Of Q queries the bits to the nearest value [Q] uint8, `FAR` if there is none, and that value's place [Q]."""

    bits: NDArray[np.uint8]
    places: Places


class Pairs(NamedTuple):
    """Places of queries and of values that are near to each other, and by how many bits: [P] each."""

    queries: Places
    values: Places
    bits: NDArray[np.uint8]


def nearest(queries: Hashes, values: Hashes) -> Nearest:
    """Compare all with all, a block at a time: 1,000 queries with 1,000,000 values take about a second of a core.

    Args:
        queries: [Q, K], `NONE` where there is none; any of the K counts.
        values: [N, L], likewise.
    """
    flat = values.reshape(-1)
    hashed = np.flatnonzero(flat != NONE)
    some = flat[hashed]
    chunks = np.array_split(queries.reshape(-1), max(1, -(-queries.size // QUERIES)))
    found = list(in_parallel(lambda chunk: _nearest_of_all(chunk, some), chunks))
    bits = np.concatenate([each.bits for each in found]).reshape(queries.shape)
    places = np.concatenate([each.places for each in found]).reshape(queries.shape)
    best, rows = bits.argmin(axis=1), np.arange(len(queries))
    chosen = places[rows, best]
    return Nearest(bits[rows, best], hashed[chosen] // values.shape[1] if len(hashed) else chosen)


def apart(one: Hashes, other: Hashes) -> NDArray[np.uint8]:
    """Bits between rows of one and rows of the other, any hash with any: [P, K] and [P, L] → [P]."""
    bits = np.bitwise_count(one[:, :, None] ^ other[:, None, :])
    none = (one == NONE)[:, :, None] | (other == NONE)[:, None, :]
    return np.asarray(np.where(none, np.uint8(FAR), bits).min(axis=(1, 2)), np.uint8)


def within(queries: Hashes, values: Hashes, distance: int) -> Pairs:
    """Every pair of rows at most `distance` bits apart, each once, at the bits of its nearest hashes.

    Two hashes so near agree in one of `distance` + 1 bands at least, so only those that do are compared.

    Args:
        queries: [Q, K], `NONE` where there is none; any of the K counts.
        values: [N, L], likewise.
    """
    asked, flat = queries.reshape(-1), values.reshape(-1)
    found = [np.zeros((2, 0), np.int64)]
    for start in range(0, len(flat), PIECE):
        piece = flat[start : start + PIECE]
        for band in bands_of(WIDTH, distance + 1):
            found += [np.stack([one, other + start]) for one, other in _agreeing(asked, piece, band, distance)]
    one, other = np.concatenate(found, axis=1) // np.array([[queries.shape[1]], [values.shape[1]]])
    pairs = np.unique(np.stack([one, other]), axis=1)
    return Pairs(pairs[0], pairs[1], apart(queries[pairs[0]], values[pairs[1]]))


def _nearest_of_all(queries: Hashes, values: Hashes) -> Nearest:
    """The same of [q] queries and [n] values that all have a hash."""
    bits, places = np.full(len(queries), FAR, np.uint8), np.zeros(len(queries), np.int64)
    for start in range(0, len(values), VALUES):
        distances = np.bitwise_count(queries[:, None] ^ values[None, start : start + VALUES])
        least = distances.min(axis=1)
        nearer = np.flatnonzero((least < bits) & (queries != NONE))
        bits[nearer] = least[nearer]
        places[nearer] = start + distances[nearer].argmin(axis=1)
    return Nearest(bits, places)


def _agreeing(queries: Hashes, values: Hashes, band: tuple[int, int], distance: int) -> Iterator[tuple[Places, Places]]:
    """Pairs that agree in a band and are near, some of them at a time."""
    low, size = band
    mask = np.uint64((1 << size) - 1)
    ours, theirs = (hashes >> np.uint64(low) & mask for hashes in (queries, values))
    order = np.argsort(theirs.astype(np.uint16) if size <= 16 else theirs, kind="stable")
    ordered = theirs[order]
    first, last = (np.searchsorted(ordered, ours, side=side) for side in ("left", "right"))
    counts = np.where(queries == NONE, 0, last - first)
    for some in _shared_out(counts):
        one = np.repeat(some, counts[some])
        ahead = np.repeat(np.cumsum(counts[some]) - counts[some], counts[some])
        other = order[np.arange(len(one)) - ahead + first[one]]
        near = (np.bitwise_count(queries[one] ^ values[other]) <= distance) & (values[other] != NONE)
        yield one[near], other[near]


def _shared_out(counts: Places) -> Iterator[Places]:
    """Places of these counts, in groups that do not come to much more than `CANDIDATES`."""
    groups = np.cumsum(counts) // CANDIDATES
    yield from np.split(np.arange(len(counts)), np.flatnonzero(np.diff(groups)) + 1)
