"""Measured depth is scored where it was measured, on a frame whose border no sensor saw."""

import numpy as np
import pytest

from evaluate.truth.depth import inverse_of, score_known

STORED = np.zeros((8, 10), np.uint16)
STORED[2:6, 3:9] = np.arange(7_500, 7_500 + 24 * 800, 800).reshape(4, 6)
KNOWN = STORED > 0


def values(found: np.ndarray) -> dict[str, float]:
    return {name: score.value for name, score in score_known(inverse_of(STORED), found.astype(np.float32)).items()}


def test_pixels_without_a_value_have_no_inverse_depth() -> None:
    inverse = inverse_of(STORED)
    assert inverse.dtype == np.float32
    np.testing.assert_array_equal(np.ma.getmaskarray(inverse), ~KNOWN)
    np.testing.assert_allclose(inverse.compressed() * STORED[KNOWN], 1, rtol=1e-6)
    assert inverse.max() == pytest.approx(1 / 7_500)


def test_the_truth_at_another_scale_and_shift_is_perfect_whatever_stands_where_nothing_is_known() -> None:
    for elsewhere in (0.0, 1e6, np.nan):
        found = np.full(STORED.shape, elsewhere)
        found[KNOWN] = 3e4 / STORED[KNOWN] + 5
        assert values(found) == pytest.approx({"rmse": 0, "abs_rel": 0, "delta1": 1, "spearman": 1}, abs=1e-4)


def test_distance_in_the_place_of_inverse_depth_is_as_bad_as_it_gets() -> None:
    found = values(STORED.astype(np.float64))
    assert found["spearman"] == pytest.approx(-1)
    assert found["rmse"] > 0.2


def test_a_frame_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(ValueError, match="Leave the picture out"):
        score_known(inverse_of(np.zeros((4, 4), np.uint16)), np.ones((4, 4), np.float32))
