"""The measure is held against people within samples, in its own direction."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from evaluate.ranking.correlation import Correlation, correlation, spearman
from evaluate.ranking.key import Key
from evaluate.ranking.rankings import rankings, reweighted
from evaluate.ranking.votes import read_ballots
from tests.evaluate.ranking.planted import key, write_votes


def of_votes(folder: Path, of: Key, *, noise: float, question: str = "quality") -> Correlation:
    answers = rankings(read_ballots(write_votes(folder, of, raters=6, noise=noise), of), of, question)
    return correlation(answers, of, reweighted(answers))


def test_it_is_spearmans() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.integers(0, 4, (2, 9, 5)).astype(float)
    expected = [spearmanr(first, second).statistic for first, second in zip(one, other, strict=True)]
    assert spearman(one, other) == pytest.approx(expected)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_measure_that_sees_what_people_see_is_1_whatever_its_direction(
    higher_is_better: bool, tmp_path: Path
) -> None:
    found = of_votes(tmp_path, key(higher_is_better=higher_is_better), noise=0)
    assert found.measure.value == found.measure.low == found.people == pytest.approx(1)
    assert (found.samples, found.of) == (20, 20)


def test_a_measure_that_is_turned_round_is_minus_1(tmp_path: Path) -> None:
    upright = key()
    turned = upright.model_copy(update={"measure": upright.measure.model_copy(update={"higher_is_better": False})})
    assert of_votes(tmp_path, turned, noise=0).measure.value == pytest.approx(-1)


def test_raters_who_throw_dice_can_not_be_told_from_chance(tmp_path: Path) -> None:
    found = of_votes(tmp_path, key(), noise=1e6)
    assert found.measure.low < 0 < found.measure.high
    assert abs(found.people) < 0.1


def test_samples_on_which_the_measure_says_nothing_are_left_out_and_counted(tmp_path: Path) -> None:
    upright = key()
    scores = [(1.0,) * 4, (None, 1.0, 2.0, 3.0), *(sample.scores for sample in upright.samples[2:])]
    samples = [
        sample.model_copy(update={"scores": known}) for sample, known in zip(upright.samples, scores, strict=True)
    ]
    found = of_votes(tmp_path / "some", upright.model_copy(update={"samples": tuple(samples)}), noise=0)
    assert (found.samples, found.of) == (18, 20)
    flat = [sample.model_copy(update={"scores": (1.0,) * 4}) for sample in samples]
    nothing = of_votes(tmp_path / "none", upright.model_copy(update={"samples": tuple(flat)}), noise=0)
    assert nothing.samples == 0
    assert np.isnan(nothing.measure.value)
