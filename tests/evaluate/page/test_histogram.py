"""A histogram counts every row once, whatever lies far out, and draws a selection against the whole."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from evaluate.page.histogram import BINS, draw, of_names, of_numbers


def bars(svg: str) -> int:
    return len(ET.fromstring(svg).findall("g"))


def test_every_finite_value_is_in_one_bar() -> None:
    values = np.append(np.random.default_rng(0).normal(size=1_000), [np.nan, np.inf])
    found = of_numbers(values, values > 0)
    assert found.whole.sum() == 1_000
    assert found.part is not None
    assert found.part.sum() == (values[:1_000] > 0).sum()
    assert len(found.whole) == BINS


def test_few_whole_numbers_have_a_bar_each() -> None:
    found = of_numbers(np.array([0, 0, 1, 4]))
    assert (found.names, found.whole.tolist()) == (("0", "1", "2", "3", "4"), [2, 1, 0, 0, 1])


def test_a_value_far_out_does_not_squeeze_the_others_into_one_bar() -> None:
    found = of_numbers(np.append(np.linspace(0, 1, 999), 1e6))
    assert found.whole.sum() == 1_000
    assert np.count_nonzero(found.whole) == BINS
    assert found.ends[1].startswith("≥")


@pytest.mark.parametrize("values", [[], [np.nan], [0.25], [0.25, 0.25], [7], [-1e9, 1e9], [1e-9, 2e-9]])
def test_whatever_there_is_can_be_drawn(values: list[float]) -> None:
    found = of_numbers(np.array(values, float))
    assert found.whole.sum() == np.isfinite(values).sum()
    assert bars(draw(found, title="a stat", cuts=[0.25])) == np.count_nonzero(found.whole)


def test_a_selection_is_drawn_by_its_own_shares() -> None:
    values = np.array([1.0, 1.0, 1.0, 2.0])
    svg = draw(of_numbers(values, values == 2), title="a stat")
    assert "1: 75 % of all, 0 % of those selected" in svg
    assert "2: 25 % of all, 100 % of those selected" in svg


def test_names_and_titles_are_text_and_nothing_more() -> None:
    svg = draw(of_names([("<script>", 3), ('"', 1)], [1, 0]), title='"><script>')
    assert "<script" not in svg
    assert bars(svg) == 2
