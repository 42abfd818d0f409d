"""Straight lines are matched as wireframe detectors are scored."""

import numpy as np
import pytest

from evaluate.measures.lines import distance, match_lines, score_lines
from manifests.figures import Segments

FRAME = (128, 128)


def lines(*ends: tuple[float, float, float, float], shape: tuple[int, int] = FRAME) -> Segments:
    return Segments(shape, np.array([[*each, 0.5] for each in ends], np.float32).reshape(-1, 5))


def test_line_f1_is_the_one_computed_by_hand() -> None:
    asked = lines((10, 10, 90, 10), (10, 50, 90, 50), (10, 100, 90, 100))
    drawn = lines((10, 12, 90, 12), (92, 51, 11, 50))  # two pixels aside; the ends exchanged
    scores = score_lines(asked, drawn)
    assert distance(asked, drawn)[0, 0] == 4 + 4
    assert distance(asked, drawn)[1, 1] == (2**2 + 1) + 1
    assert scores["line_recall"].value == pytest.approx(2 / 3)
    assert scores["line_precision"].value == 1
    assert scores["line_f1"].value == pytest.approx(4 / 5)


def test_a_line_is_near_up_to_a_summed_square_of_ten_and_no_farther() -> None:
    asked = lines((10, 10, 90, 10))
    assert match_lines(asked, lines((10, 13, 90, 11))) == 1  # 9 + 1
    assert match_lines(asked, lines((10, 13, 91, 11))) == 0  # 9 + 2


def test_a_line_drawn_twice_counts_once() -> None:
    asked, twice = lines((10, 10, 90, 10), (20, 40, 20, 90)), lines((10, 10, 90, 10), (10, 11, 90, 11))
    scores = score_lines(asked, twice)
    assert (scores["line_precision"].value, scores["line_recall"].value) == (0.5, 0.5)


def test_the_frame_and_not_the_picture_says_what_is_near() -> None:
    for scale in (1, 4):
        shape = (128 * scale, 256 * scale)
        asked = lines((20 * scale, 20 * scale, 200 * scale, 20 * scale), shape=shape)
        aside = lines((20 * scale, 22 * scale, 200 * scale, 22 * scale), shape=shape)
        assert distance(asked, aside).item() == pytest.approx(8)
        assert match_lines(asked, aside) == 1


def test_nothing_asked_and_nothing_drawn_is_no_match() -> None:
    nothing = lines()
    for asked, drawn in ((nothing, nothing), (nothing, lines((0, 0, 9, 9))), (lines((0, 0, 9, 9)), nothing)):
        assert {score.value for score in score_lines(asked, drawn).values()} == {0}


def test_the_matching_is_the_largest_there_is() -> None:
    # The first line asked for is near both drawn, the second near the first only: greed would match one pair.
    asked = lines((10, 11, 90, 11), (10, 9, 90, 9))
    drawn = lines((10, 10, 90, 10), (10, 13, 90, 13))
    assert match_lines(asked, drawn) == match_lines(drawn, asked) == 2
