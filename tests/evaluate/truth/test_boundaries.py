"""Boundaries are counted as the BSDS bench counts them, on cases that can be counted by hand."""

import numpy as np
import pytest

from evaluate.truth.boundaries import count, f_measure, pair, summarise, thin


def mask(*places: tuple[int, int], side: int = 40) -> np.ndarray:
    made = np.zeros((side, side), bool)
    for place in places:
        made[place] = True
    return made


def test_a_pixel_pairs_with_the_nearest_free_one_only() -> None:
    found, drawn = mask((10, 10), (10, 12)), mask((10, 11), (30, 30))
    mine, theirs = pair(found, drawn, 2.0)
    assert (mine.sum(), theirs.sum()) == (1, 1), "one to one"
    assert theirs[10, 11]
    assert not theirs[30, 30]


def test_nothing_farther_apart_than_the_reach_is_paired() -> None:
    found, drawn = mask((0, 0)), mask((3, 4))
    assert pair(found, drawn, 5.0)[0].sum() == 1
    assert pair(found, drawn, 4.99)[0].sum() == 0


def test_a_shifted_line_is_wholly_paired() -> None:
    found, drawn = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    found[10], drawn[12] = True, True
    mine, theirs = pair(found, drawn, 2.0)
    assert (mine == found).all()
    assert (theirs == drawn).all()


def test_of_many_people_one_is_enough_for_precision_and_all_count_for_recall() -> None:
    line, other = np.zeros((400, 400), bool), np.zeros((400, 400), bool)  # a reach of 4.2 pixels
    line[100], other[300] = True, True
    counts = count([line], [line, other])
    assert counts.tolist() == [[400, 400, 400, 800]]
    assert f_measure(counts)[0] == pytest.approx(2 * 1 * 0.5 / 1.5)


def test_one_threshold_for_all_is_never_better_than_one_for_each() -> None:
    counts = np.array([[[8, 10, 8, 10], [2, 2, 2, 10]], [[1, 10, 1, 2], [2, 2, 2, 2]]])
    best = summarise(counts, [0.2, 0.8])
    # Together at 0.2: P 9/20, R 9/12; at 0.8: P 4/4, R 4/12. Each at its own: P 10/12, R 10/12.
    assert (best.threshold, best.precision, best.recall) == (0.2, 0.45, 0.75)
    assert best.ods == pytest.approx(2 * 0.45 * 0.75 / 1.2)
    assert best.ois == pytest.approx(10 / 12)


@pytest.mark.parametrize("angle", [0, 30, 45, 90])
def test_a_blurred_line_is_thinned_to_its_ridge(angle: int) -> None:
    y, x = np.mgrid[:61, :61].astype(np.float32) - 30
    off = x * np.sin(np.radians(angle)) - y * np.cos(np.radians(angle))
    soft = np.exp(-(off**2) / 18).astype(np.float32)
    kept = thin(soft)[10:-10, 10:-10] > 0.2
    assert 41 <= kept.sum() <= 75, "about one pixel for each step along the line"
    assert np.abs(off[10:-10, 10:-10][kept]).max() < 1


def test_where_there_is_nothing_nothing_is_found() -> None:
    nothing = np.zeros((40, 40), bool)
    assert f_measure(count([nothing], [nothing])).tolist() == [0.0]
