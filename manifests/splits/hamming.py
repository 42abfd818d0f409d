"""Every pair of 64-bit hashes that differ in a few bits, found without comparing all pairs.

Cut into `distance` + r bands, two hashes at most `distance` bits apart agree in at least r bands. So for each choice of
r bands they are sorted by these, and only those that agree in them are compared: nothing within the distance is missed.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Pairs = tuple[Hashes, Hashes]
WIDTH = 64
FEW = 600  # hashes of which all pairs are compared
MANY = 6_000_000  # beyond these a sort more is cheaper than the pairs that agree in two bands by chance
CROWD = 3_000  # hashes that agree in the bands chosen; more are told apart by the bits they have left
NARROW = 14  # bits, of which there are too few different values for bands to be of use
CHUNK = 1 << 21  # hashes compared with their next at once


def near_pairs(values: Hashes, distance: int) -> Iterator[Pairs]:
    """Pairs of different values at most `distance` bits apart, each pair once, in batches.

    Args:
        values: [N], none twice.
    """
    if distance < 1 or len(values) < 2:
        return
    varying = int(np.bitwise_or.reduce(values ^ values[0]))
    runs = [(WIDTH - run.end(), len(run[0])) for run in re.finditer("1+", f"{varying:0{WIDTH}b}")]
    constant = values[0] & ~np.uint64(varying)
    packed = _concatenated(values, runs)  # bits that all have alike tell nothing apart, and would fill bands
    for first, second in _pairs(packed, sum(size for _, size in runs), distance):
        yield _spread(first, runs) | constant, _spread(second, runs) | constant


def _pairs(values: Hashes, width: int, distance: int) -> Iterator[Pairs]:
    """Pairs of values of `width` bits."""
    chosen = 3 if len(values) > MANY else 2
    bands = bands_of(width, distance + chosen)
    if len(values) <= FEW or width <= NARROW:
        yield from _next_to_each_other(np.sort(values), np.uint64(WIDTH), distance)
        return
    for agreeing in combinations(range(len(bands)), chosen):
        order = [bands[band] for band in agreeing] + [bands[band] for band in range(len(bands)) if band not in agreeing]
        left = np.uint64(width - sum(bands[band][1] for band in agreeing))
        moved = _concatenated(values, order)
        moved.sort()
        crowds = _crowds(moved, left)
        alone = np.ones(len(moved), bool)
        for start, end in crowds:
            alone[start:end] = False
        found = [_next_to_each_other(moved[alone] if crowds else moved, left, distance)]
        found += [near_pairs(moved[start:end], distance) for start, end in crowds]
        for first, second in chain.from_iterable(found):
            one, other = _spread(first, order), _spread(second, order)
            fresh = _agree_first_in(one ^ other, bands, agreeing)
            yield one[fresh], other[fresh]


def _next_to_each_other(ordered: Hashes, left: np.uint64, distance: int) -> Iterator[Pairs]:
    """Pairs among sorted values that agree above their lowest `left` bits, and differ in few of these."""
    for start in range(0, len(ordered), CHUNK):
        places = np.arange(start, min(start + CHUNK, len(ordered)))
        step = 0
        while len(places):
            step += 1
            places = places[: np.searchsorted(places, len(ordered) - step)]
            differing = ordered[places] ^ ordered[places + step]
            if left < WIDTH:
                together = differing >> left == 0
                places, differing = places[together], differing[together]
            near = places[np.bitwise_count(differing) <= distance]
            if len(near):
                yield ordered[near], ordered[near + step]


def _crowds(ordered: Hashes, left: np.uint64) -> list[tuple[int, int]]:
    """Where more than `CROWD` sorted values agree above their lowest `left` bits: start and end of each."""
    far = np.flatnonzero((ordered[CROWD:] ^ ordered[: max(0, len(ordered) - CROWD)]) >> left == 0)
    crowds: list[tuple[int, int]] = []
    while len(far):
        key = ordered[far[0]] >> left
        end = int(np.searchsorted(ordered, (key << left) | ((np.uint64(1) << left) - np.uint64(1)), side="right"))
        crowds.append((int(far[0]), end))
        far = far[np.searchsorted(far, end) :]
    return crowds


def bands_of(width: int, count: int) -> list[tuple[int, int]]:
    """Lowest bit and size of each band, from the highest: sizes differ by one at most."""
    edges = [width * band // count for band in range(count, -1, -1)]
    return [(low, high - low) for high, low in pairwise(edges)]


def _concatenated(values: Hashes, bands: Sequence[tuple[int, int]]) -> Hashes:
    """Those bands of every value one after the other, the first the highest."""
    out = np.zeros_like(values)
    for low, size in bands:
        out <<= np.uint64(size)
        out |= values >> np.uint64(low) & np.uint64((1 << size) - 1)
    return out


def _spread(packed: Hashes, bands: Sequence[tuple[int, int]]) -> Hashes:
    """The values of which `_concatenated` made these."""
    out = np.zeros_like(packed)
    rest = sum(size for _, size in bands)
    for low, size in bands:
        rest -= size
        out |= (packed >> np.uint64(rest) & np.uint64((1 << size) - 1)) << np.uint64(low)
    return out


def _agree_first_in(differing: Hashes, bands: Sequence[tuple[int, int]], agreeing: Sequence[int]) -> NDArray[np.bool_]:
    """Whether the bands chosen are the first in which two values agree: else another choice has the pair."""
    fresh = np.ones(len(differing), bool)
    for band in range(agreeing[-1]):
        if band not in agreeing:
            low, size = bands[band]
            fresh &= differing >> np.uint64(low) & np.uint64((1 << size) - 1) != 0
    return fresh
