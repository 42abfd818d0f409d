"""Strata hold every row that has a value, once, and a row drawn from one lies in its range."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from evaluate.strata import STRATA, VALUES, as_numbers, extremes, smallest, strata


def column(values: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([values[:3], values[3:]], kind)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int32(), pa.int64()])
def test_quantile_strata_share_the_rows_and_keep_their_ranges(kind: pa.DataType) -> None:
    values = column([(7 * row) % 100 for row in range(100)], kind)
    places = np.arange(10, 100)
    parts = strata(values, places)
    assert len(parts) == STRATA
    assert sorted(np.concatenate([part.places for part in parts]).tolist()) == places.tolist()
    for part in parts:
        inside = as_numbers(values)[part.places]
        assert (inside.min(), inside.max()) == (part.low, part.high)
        assert part.share == pytest.approx(len(inside) / 90) == pytest.approx(0.2, abs=0.02)
    assert all(before.high < after.low for before, after in pairwise(parts))


def test_a_value_that_most_rows_have_is_a_stratum_of_its_own() -> None:
    parts = strata(column([0.0] * 70 + [row / 7 for row in range(1, 31)]), np.arange(100))
    assert (parts[0].name, parts[0].share) == ("0", 0.7)
    assert sum(len(part.places) for part in parts) == 100


def test_few_values_are_strata_each() -> None:
    parts = strata(column([2, 0, 1, 0, None, 2, 2]), np.arange(7))
    assert [(part.name, part.places.tolist()) for part in parts] == [("0", [1, 3]), ("1", [2]), ("2", [0, 5, 6])]


def test_rows_without_a_value_are_in_no_stratum() -> None:
    values = column([None, float("nan"), float("inf"), 1.5, 2.5], pa.float32())
    assert [part.places.tolist() for part in strata(values, np.arange(5))] == [[3], [4]]
    assert strata(column([None] * 5, pa.float32()), np.arange(5)) == []
    assert strata(column([None] * 5, pa.string()), np.arange(5)) == []


def test_words_and_truth_values_are_strata_by_frequency() -> None:
    words = column(["b", "a", "b", None, "c", *map(str, range(VALUES))]).dictionary_encode()
    parts = strata(words, np.arange(len(words)))
    assert [part.name for part in parts[:2]] == ["b", "0"]
    assert len(parts) == VALUES
    parts = strata(column([True, False, True, None]), np.arange(4))
    assert [(part.name, part.places.tolist()) for part in parts] == [("true", [0, 2]), ("false", [1])]


def test_large_whole_numbers_do_not_stop_a_page() -> None:
    assert len(strata(column([2**62 + row for row in range(20)], pa.int64()), np.arange(20))) >= 1


def test_rows_are_drawn_by_hash_and_equal_keys_once() -> None:
    hashes = np.array([5, 1, 9, 1, 3], np.uint64)
    assert smallest(hashes, np.arange(5), 3).tolist() == [1, 4, 0]
    assert smallest(hashes, np.array([2, 3]), 3).tolist() == [3, 2]
    many = np.random.default_rng(0).integers(0, 2**63, 10_000).astype(np.uint64)
    assert smallest(many, np.arange(10_000), 5).tolist() == np.argsort(many)[:5].tolist()


def test_extremes_are_the_first_rows_of_least_and_greatest_value() -> None:
    values = np.array([3, np.nan, 1, 1, 1, 9, 9.0])
    assert [found.tolist() for found in extremes(values, np.arange(7), 2)] == [[2, 3], [5, 6]]
    assert [found.tolist() for found in extremes(values, np.array([1]), 2)] == [[], []]
