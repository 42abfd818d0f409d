"""Numbers of a measure: paired, of whole samples, whatever the order of rows, and left out with a reason."""

import numpy as np
import pytest

from evaluate.anchors import CEILING, CONTROLLED, FLOOR, ORACLE
from evaluate.quality.discrepancy import cubic
from evaluate.quality.numbers import of_frechet, of_kernel, of_scores
from tests.evaluate.quality.made_up import Features, rows_of

WORSE = {ORACLE: 0.0, CEILING: 0.1, CONTROLLED: 0.5, FLOOR: 0.7}  # how far an arm is from the real pictures


def arms(samples: int = 60, draws: int = 2, width: int = 8) -> dict[str, Features]:
    """Features of every arm; real pictures are the same in all draws."""
    generator = np.random.default_rng(0)
    real = np.repeat(generator.normal(size=(samples, 1, width)), draws, axis=1)
    return {arm: real + by + by * generator.normal(size=real.shape) for arm, by in WORSE.items()}


def scores(samples: int = 60, draws: int = 2) -> dict[str, Features]:
    generator = np.random.default_rng(1)
    hard = generator.normal(size=(samples, 1))
    return {arm: 30 - by + hard + 0.1 * generator.normal(size=(samples, draws)) for arm, by in WORSE.items()}


def test_arms_stand_in_the_order_of_their_distance_from_the_real_pictures() -> None:
    found = of_kernel(rows_of("inception", arms()), network="inception", kernel=cubic)
    assert found.arms[CEILING].high < found.arms[CONTROLLED].low
    assert found.arms[CONTROLLED].value < found.arms[FLOOR].value
    assert found.halves is not None
    assert found.halves.low < 0 < found.halves.high < found.arms[CONTROLLED].low


def test_the_order_of_rows_changes_nothing() -> None:
    rows = rows_of("inception", arms())
    shuffled = rows.take(np.random.default_rng(0).permutation(len(rows)))
    first, second = (of_kernel(each, network="inception", kernel=cubic) for each in (rows, shuffled))
    assert first == second


def test_the_change_is_paired_so_that_hard_samples_do_not_blur_it() -> None:
    found = of_scores(rows_of("clip", arms(), scores=scores()), network="clip")
    assert found.change is not None
    assert found.change.value == pytest.approx(WORSE[FLOOR] - WORSE[CONTROLLED], abs=0.05)
    assert found.change.high - found.change.low < 0.1 < found.arms[CONTROLLED].high - found.arms[CONTROLLED].low


def test_copied_draws_make_no_interval_narrower() -> None:
    once, values = arms(draws=1), scores(draws=1)
    copied = {arm: np.repeat(features, 5, axis=1) for arm, features in once.items()}
    copies = {arm: np.repeat(each, 5, axis=1) for arm, each in values.items()}
    few = of_scores(rows_of("clip", once, scores=values), network="clip").arms[CONTROLLED]
    many = of_scores(rows_of("clip", copied, scores=copies), network="clip").arms[CONTROLLED]
    assert (many.low, many.high) == pytest.approx((few.low, few.high))


def test_samples_without_a_caption_are_left_out_and_counted() -> None:
    values = scores()
    for each in values.values():
        each[:3] = np.nan
    found = of_scores(rows_of("clip", arms(), scores=values), network="clip")
    assert found.samples == 57
    assert found.notes == ("3 samples without a caption are left out.",)


def test_of_few_samples_no_discrepancy_is_made_up() -> None:
    found = of_kernel(rows_of("inception", arms(samples=9)), network="inception", kernel=cubic)
    assert found.notes == ("Not computed: it compares samples with others, 10 at least, and here are 9.",)


def test_fid_is_left_out_below_as_many_samples_as_features_whatever_the_draws() -> None:
    found = of_frechet(rows_of("inception", arms(samples=8, draws=4)), network="inception")
    assert not found.arms
    assert found.notes[0].startswith("Not computed: the covariance of 8 features")


def test_fid_comes_without_interval_and_with_halves_where_they_are_large_enough() -> None:
    small, large = (of_frechet(rows_of("inception", arms(samples=n)), network="inception") for n in (12, 60))
    assert small.halves is None
    assert "No two halves of the real pictures: the covariance" in small.notes[-1]
    assert large.halves is not None
    assert 0 < large.arms[CEILING].value < large.halves.value < large.arms[CONTROLLED].value < large.arms[FLOOR].value
    assert np.isnan(large.arms[CONTROLLED].low)


def test_arms_of_other_samples_are_refused() -> None:
    rows = rows_of("clip", arms(samples=4))
    with pytest.raises(ValueError, match="sample 00000003 is in one of the arms"):
        of_kernel(rows.slice(0, len(rows) - 2), network="clip", kernel=cubic)


def test_without_any_caption_there_is_no_score_and_it_is_said() -> None:
    silent = {arm: np.full((12, 2), np.nan) for arm in WORSE}
    found = of_scores(rows_of("clip", arms(samples=12), scores=silent), network="clip")
    assert found.notes == ("Not computed: no sample has a caption.",)
