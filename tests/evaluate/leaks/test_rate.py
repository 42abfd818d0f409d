"""Intervals of a share, at its ends too."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from evaluate.leaks.rate import Rate, exchanged, in_words


def test_none_of_a_thousand_is_at_most_four_in_a_thousand() -> None:
    share = Rate(0, 1_000).interval
    assert (share.value, share.low) == (0, 0)
    assert share.high == pytest.approx(0.00368, abs=1e-5)
    assert Rate(1_000, 1_000).interval.high == 1


def test_a_share_has_the_exact_interval() -> None:
    share, known = Rate(12, 340).interval, binomtest(12, 340).proportion_ci(method="exact")
    assert (share.low, share.high) == (pytest.approx(known.low), pytest.approx(known.high))


def test_a_share_of_no_samples_is_undefined() -> None:
    assert math.isnan(Rate(0, 0).interval.value)
    assert in_words(Rate(0, 0)) == "0 of 0"


def test_uneven_samples_are_told_from_even_ones() -> None:
    assert exchanged(0, 0) == 1
    assert exchanged(5, 5) == 1
    assert exchanged(10, 0) == pytest.approx(2 / 2**10)
    assert np.isclose(exchanged(0, 10), exchanged(10, 0))
