import numpy as np
from numpy.typing import NDArray

from evaluate.report.error_map import FOUND_ONLY, MISSED, error_map, legend


def lines(column: int) -> NDArray[np.uint8]:
    """A white line from top to bottom."""
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, column] = 255
    return picture


def test_a_line_that_was_moved_is_missed_here_and_too_much_there() -> None:
    drawn = error_map("binary", lines(2), lines(5))
    assert (drawn[:, 2] == MISSED).all()
    assert (drawn[:, 5] == FOUND_ONLY).all()
    assert not drawn[:, [0, 1, 3, 4, 6, 7]].any()


def test_what_was_obeyed_is_white() -> None:
    assert np.array_equal(error_map("soft", lines(3), lines(3)), lines(3))


def test_another_class_is_told_from_the_right_one() -> None:
    asked = np.full((4, 4, 3), 120, np.uint8)
    found = asked.copy()
    found[0, 0] = (120, 120, 121)
    drawn = error_map("classes", asked, found)
    assert (drawn[0, 0] == FOUND_ONLY).all()
    assert (drawn[1:] == 80).all()


def test_depth_as_asked_for_is_black_and_brighter_the_farther_from_it() -> None:
    asked = np.full((4, 4, 3), 100, np.uint8)
    maps = [error_map("depth", asked, asked + np.uint8(step)) for step in (0, 40, 120)]
    brightness = [int(drawn.sum()) for drawn in maps]
    assert maps[0].max() <= 4
    assert brightness == sorted(brightness)
    assert "brighter" in legend("depth")
