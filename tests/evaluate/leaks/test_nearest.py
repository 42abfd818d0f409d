"""Hashes near to others are those that comparing all with all finds."""

import numpy as np
import pytest

from evaluate.leaks import nearest as module
from evaluate.leaks.base_rate import base_rate
from evaluate.leaks.nearest import FAR, apart, nearest, within
from manifests.splits.hamming import Hashes


def some(rows: int, columns: int, seed: int) -> Hashes:
    return np.random.default_rng(seed).integers(1, 2**63, (rows, columns), dtype=np.uint64)


def turned(hashes: Hashes, bits: int, seed: int) -> Hashes:
    """The same with `bits` bits of each turned."""
    rng, out = np.random.default_rng(seed), hashes.copy()
    for place in np.ndindex(*hashes.shape):
        for bit in rng.choice(64, bits, replace=False):
            out[place] ^= np.uint64(1) << np.uint64(bit)
    return out


def all_with_all(queries: Hashes, values: Hashes) -> np.ndarray:
    return np.stack([apart(np.broadcast_to(query, (len(values), len(query))), values) for query in queries])


def test_the_nearest_is_that_of_all_with_all() -> None:
    values, queries = some(20_000, 2, 0), some(40, 3, 1)
    values[5], values[7, 0], queries[3], queries[4, 1] = 0, 0, 0, 0  # no hashes
    queries[9, 2] = turned(values[77:78, 1:], 3, 2)[0, 0]
    distances = all_with_all(queries, values)
    found = nearest(queries, values)
    assert found.bits.tolist() == distances.min(axis=1).tolist()
    assert distances[np.arange(40), found.places].tolist() == found.bits.tolist()
    assert (found.bits[3], found.bits[9], found.places[9]) == (FAR, 3, 77)


def test_nothing_is_near_to_no_row_at_all() -> None:
    assert nearest(some(3, 1, 0), some(0, 1, 0)).bits.tolist() == [FAR] * 3
    assert len(within(some(3, 1, 0), some(0, 1, 0), 4).bits) == 0


@pytest.mark.parametrize("piece", [1 << 20, 999])
def test_every_pair_within_a_distance_is_found_once(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(module, "PIECE", piece)
    monkeypatch.setattr(module, "CANDIDATES", 64)
    values, queries = some(5_000, 4, 0), some(60, 4, 1)
    for bits in range(8):
        values[100 * bits : 100 * bits + 60, bits % 4] = turned(queries[:, :1], bits, bits)[:, 0]
    values[4_000:4_100], queries[10, 1:], queries[11, 0] = 0, 0, 0
    distances = all_with_all(queries, values)
    pairs = within(queries, values, 4)
    assert np.stack([pairs.queries, pairs.values], axis=1).tolist() == np.argwhere(distances <= 4).tolist()
    assert pairs.bits.tolist() == distances[distances <= 4].tolist()


def test_a_base_rate_foresees_how_many_near_pairs_chance_gives() -> None:
    free = np.uint64(0x1111_1111_1111_1111)  # 16 bits that differ at all: pairs are near by chance
    base = base_rate(some(400, 1, 0) & free, some(3_000, 1, 1) & free)
    near = (all_with_all(some(400, 1, 0) & free, some(3_000, 1, 1) & free) <= 4).sum()
    assert base.median == 8
    assert base.expected > 0.5 * near  # it is a bound, and a rough one
    assert not base.tells(int(near) // 2)


def test_of_random_hashes_a_single_near_pair_tells() -> None:
    base = base_rate(some(200, 4, 0), some(5_000, 4, 1))
    assert base.expected < 0.01
    assert base.tells(1)
    assert not base.tells(0)
