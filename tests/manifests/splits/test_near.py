"""Near hashes are all found, chains end, flat pictures stay apart, and a frozen split is never changed by a copy."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from manifests.splits import hamming, near
from manifests.splits.clusters import as_names, as_numbers, ranks
from manifests.splits.hamming import near_pairs
from manifests.splits.joining import EXCLUDED, Rows, join
from manifests.splits.near import cluster

Hashes = NDArray[np.uint64]


def flipped(values: Hashes, bits: int, rng: np.random.Generator) -> Hashes:
    """The values with `bits` different bits of each turned."""
    out = values.copy()
    for row in range(len(out)):
        for bit in rng.choice(64, bits, replace=False):
            out[row] ^= np.uint64(1) << np.uint64(bit)
    return out


def some(count: int, seed: int = 0) -> Hashes:
    return np.random.default_rng(seed).integers(1, 2**63, count, dtype=np.uint64)


def with_copies(count: int) -> Hashes:
    rng, base = np.random.default_rng(1), some(count)
    return np.unique(np.concatenate([base, *(flipped(base, bits, rng) for bits in range(1, 7))]))


def found(values: Hashes, distance: int) -> list[tuple[int, int]]:
    return [
        (min(pair), max(pair))
        for first, second in near_pairs(values, distance)
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    ]


def compared(values: Hashes, distance: int) -> set[tuple[int, int]]:
    """All pairs, one by one."""
    near = np.bitwise_count(values[:, None] ^ values[None, :]) <= distance
    places = zip(*np.nonzero(np.triu(near, 1)), strict=True)
    return {(min(pair), max(pair)) for pair in ((int(values[a]), int(values[b])) for a, b in places)}


def groups(labels: NDArray[np.int64]) -> list[list[int]]:
    return sorted(np.flatnonzero(labels == label).tolist() for label in np.unique(labels))


def pictures(count: int) -> Hashes:
    return np.arange(1, count + 1).astype(np.uint64)


@pytest.mark.parametrize("distance", [1, 2, 4])
@pytest.mark.parametrize(("few", "many", "crowd"), [(600, 10**7, 3_000), (50, 10**7, 3_000), (50, 100, 3_000)])
def test_every_near_pair_is_found_once(
    monkeypatch: pytest.MonkeyPatch, distance: int, few: int, many: int, crowd: int
) -> None:
    for name, value in (("FEW", few), ("MANY", many), ("CROWD", crowd)):
        monkeypatch.setattr(hamming, name, value)
    values = with_copies(150)
    pairs = found(values, distance)
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == compared(values, distance)


def test_a_crowd_of_hashes_that_agree_in_most_bits_is_told_apart_by_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "FEW", 100)
    monkeypatch.setattr(hamming, "CROWD", 200)
    crowd = np.unique(some(900) & np.uint64(0x0F0F_0F0F_0F00_0000) | np.uint64(0xA << 60))
    values = np.concatenate([crowd, with_copies(40)])
    pairs = found(values, 4)
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == compared(values, 4)


@pytest.mark.parametrize("values", [some(0), some(1)])
def test_of_no_row_and_of_one_there_are_no_pairs(values: Hashes) -> None:
    assert found(values, 4) == []
    assert len(cluster(values[:, None], pictures(len(values))).labels) == len(values)


def test_a_chain_of_copies_is_one_cluster_and_others_stay_alone() -> None:
    first, stranger = some(2)
    chain = [first, first ^ np.uint64(0b1111), first ^ np.uint64(0b1111_1111), first]
    hashes = np.array([*chain, stranger], np.uint64)[:, None]
    assert groups(cluster(hashes, pictures(5)).labels) == [[0, 1, 2, 3], [4]]
    assert groups(cluster(hashes, pictures(5), distance=3).labels) == [[0, 3], [1], [2], [4]]


def test_any_hash_of_a_row_may_meet_any_of_another() -> None:
    a, b, c, d = some(4)
    hashes = np.array([[a, b], [c, a ^ np.uint64(3)], [d, 0]], np.uint64)
    assert groups(cluster(hashes, pictures(3)).labels) == [[0, 1], [2]]


def test_rows_without_a_hash_are_together_only_as_equal_pictures() -> None:
    hashes = np.zeros((5, 2), np.uint64)
    hashes[4] = some(2)
    assert groups(cluster(hashes, np.array([7, 8, 7, 9, 9], np.uint64)).labels) == [[0, 2], [1], [3, 4]]


def test_a_chain_that_is_too_long_is_cut_and_reported_but_equal_hashes_stay_together() -> None:
    steps = np.bitwise_xor.accumulate(np.uint64(1) << (np.arange(60) % 60).astype(np.uint64))  # one bit after the other
    wide = np.repeat(steps[::3], 2)  # three bits apart, each twice
    clusters = cluster(np.concatenate([wide, some(1)])[:, None], pictures(41), largest=5)
    assert [len(chain.rows) for chain in clusters.capped] == [40]
    assert clusters.capped[0].hashes == 20
    assert clusters.capped[0].distance == 2
    assert groups(clusters.labels) == [[2 * row, 2 * row + 1] for row in range(20)] + [[40]]


def test_names_of_pictures_are_numbers_and_back() -> None:
    numbers = np.concatenate([some(50), pictures(3)])
    names = as_names(numbers)
    assert names.to_pylist() == [f"{number:016x}" for number in numbers.tolist()]
    assert as_numbers(pa.chunked_array([names])).tolist() == numbers.tolist()
    assert len(as_names(numbers[:0])) == 0


def test_places_within_a_cluster_follow_the_order() -> None:
    clusters = pa.chunked_array([as_names(np.array([5, 7, 5, 5, 7, 9], np.uint64))])
    assert ranks(clusters, np.array([3, 4, 5, 0, 1, 2])).tolist() == [1, 1, 2, 0, 0, 0]
    assert len(ranks(clusters.slice(0, 0), np.arange(0))) == 0


def old_rows() -> tuple[Rows, Hashes, pa.Array, Hashes]:
    hashes = some(4)
    splits = pa.array(["train", "test", "train", "excluded"])
    return Rows(hashes[:, None], np.array([10, 20, 30, 40], np.uint64)), pictures(4), splits, hashes


def test_a_copy_of_an_older_row_joins_its_cluster_and_its_split() -> None:
    old, clusters, splits, hashes = old_rows()
    copies = np.concatenate([hashes ^ np.uint64(0b101), some(1, seed=5)])
    joined = join(Rows(copies[:, None], np.array([50, 60, 70, 80, 90], np.uint64)), old, clusters, splits)
    assert joined.clusters.tolist() == [1, 2, 3, 4, 90]
    assert joined.splits.to_pylist() == ["train", "test", "train", "excluded", None]


def test_what_touches_two_splits_is_excluded_with_all_its_cluster() -> None:
    old, clusters, splits, hashes = old_rows()
    both = np.array([[hashes[0], hashes[1]], [some(1, seed=5)[0], hashes[0] ^ np.uint64(1)]], np.uint64)
    joined = join(Rows(both, np.array([60, 50], np.uint64)), old, clusters, splits)
    assert joined.splits.to_pylist() == [EXCLUDED, EXCLUDED]
    assert joined.clusters.tolist() == [50, 50], "a cluster of its own"


def test_what_touches_two_clusters_of_one_split_joins_the_lesser() -> None:
    old, clusters, splits, hashes = old_rows()
    joined = join(Rows(hashes[None, [2, 0]], np.array([50], np.uint64)), old, clusters, splits)
    assert (joined.clusters.tolist(), joined.splits.to_pylist()) == ([1], ["train"])


def test_a_picture_that_is_there_keeps_its_cluster_whatever_else_it_is_near_to() -> None:
    old, clusters, splits, hashes = old_rows()
    joined = join(Rows(hashes[None, [1, 0]], np.array([10], np.uint64)), old, clusters, splits)
    assert (joined.clusters.tolist(), joined.splits.to_pylist()) == ([1], ["train"])


def test_the_first_part_has_nothing_to_join() -> None:
    nothing = Rows(np.zeros((0, 1), np.uint64), pictures(0))
    joined = join(
        Rows(some(3)[:, None], np.array([3, 2, 1], np.uint64)), nothing, pictures(0), pa.array([], pa.string())
    )
    assert joined.clusters.tolist() == [3, 2, 1]
    assert joined.splits.null_count == 3
    assert len(join(nothing, nothing, pictures(0), pa.array([], pa.string())).clusters) == 0


def test_a_new_row_touches_what_it_is_near_to_however_many_pairs_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = np.bitwise_xor.accumulate(np.array([0b111 << 3 * step for step in range(13)], np.uint64))
    splits = pa.array(["train", "train", "test", "train", "train", "test", "test"])
    old = Rows(chain[::2, None], pictures(7))
    new = Rows(chain[1::2, None], pictures(6) + np.uint64(50))
    monkeypatch.setattr(near, "FULL", 3)
    joined = join(new, old, pictures(7), splits)
    assert joined.splits.to_pylist() == ["train", EXCLUDED, EXCLUDED, "train", EXCLUDED, "test"]
    assert joined.clusters.tolist() == [1, 52, 53, 4, 55, 6]
