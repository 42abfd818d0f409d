from dataclasses import astuple

import numpy as np
import pytest
import torch

from train.draws import choices, kept, normal, row_at, share


def test_a_sample_draws_the_same_again_and_something_else_in_the_next_epoch() -> None:
    assert choices(1, "abc", 0) == choices(1, "abc", 0)
    assert choices(1, "abc", 0) != choices(1, "abc", 1)
    assert choices(1, "abc", 0) != choices(2, "abc", 0)


def test_each_purpose_has_noise_of_its_own() -> None:
    noise = normal(0, "abc", 0, purpose="noise", shape=(4, 32, 32))
    posterior = normal(0, "abc", 0, purpose="posterior", shape=(4, 32, 32))
    assert noise.dtype == torch.float32
    assert abs(float(noise.mean())) < 0.1
    assert abs(float(noise.std()) - 1) < 0.1
    assert not torch.equal(noise, posterior)


def test_an_epoch_shows_every_row_once_and_the_next_one_in_another_order() -> None:
    first, second = ([row_at(number, rows=50, seed=0) for number in range(start, start + 50)] for start in (0, 50))
    assert sorted(row for row, _ in first) == list(range(50))
    assert sorted(row for row, _ in second) == list(range(50))
    assert {epoch for _, epoch in first} == {0}
    assert {epoch for _, epoch in second} == {1}
    assert [row for row, _ in first] != [row for row, _ in second]


def test_what_was_drawn_before_there_were_views_is_drawn_still() -> None:
    expected = [0.99673187, 0.70912765, 0.40575451, 0.59480985, 0.33363687, 0.15578210]
    assert astuple(choices(7, "0123456789abcdef", 3))[:6] == pytest.approx(expected)


def test_each_condition_is_left_out_by_a_draw_of_its_own() -> None:
    draws = np.array([[share(0, f"{row}", 0, purpose=name) for name in ("depth", "canny")] for row in range(2000)])
    assert np.abs(np.corrcoef(draws.T)[0, 1]) < 0.07  # three standard errors
    assert draws.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.02)
    shown = np.array([kept([True, True], row, rate=0.5) for row in draws])
    assert shown.any(axis=1).all(), "never all of them"
    assert (1 - shown.mean(axis=0)) == pytest.approx([0.375, 0.375], abs=0.033)


def test_a_condition_that_is_alone_in_its_row_always_shows_and_one_that_is_missing_never() -> None:
    assert kept([True], [0.0], rate=1.0) == [True]
    assert kept([False, True], [0.9, 0.1], rate=1.0) == [False, True]
    assert kept([True, False, True], [0.1, 0.9, 0.2], rate=0.0) == [True, False, True]
    assert kept([True, True, True], [0.1, 0.9, 0.2], rate=1.0) == [False, True, False]
    assert kept([False, False], [0.1, 0.9], rate=0.5) == [False, False]
