"""Alpha is that of Krippendorff's own example; it is 1 for one mind, about 0 for dice, and undefined for one rater."""

from pathlib import Path

import numpy as np
import pytest

from evaluate.ranking.agreement import agreement, alpha, coincidences
from evaluate.ranking.rankings import rankings
from evaluate.ranking.votes import read_ballots
from tests.evaluate.ranking.planted import key, write_votes

KEY, NONE = key(), np.nan
# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example D: four observers, twelve units
OBSERVED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
)


def of_votes(folder: Path, *, raters: int, noise: float) -> float:
    ballots = read_ballots(write_votes(folder, KEY, raters=raters, noise=noise), KEY)
    found = agreement(rankings(ballots, KEY, "fidelity"))
    assert not found.low > found.value
    assert not found.value > found.high
    return found.value


def test_alpha_is_that_of_the_published_example() -> None:
    counted = coincidences(OBSERVED, np.arange(1.0, 6))
    assert counted.sum() == 40, "pairable values"
    assert alpha(counted[None])[0] == pytest.approx(0.815, abs=0.0005)


def test_units_add_up() -> None:
    categories = np.arange(1.0, 6)
    parts = coincidences(OBSERVED[:, :5], categories) + coincidences(OBSERVED[:, 5:], categories)
    assert parts == pytest.approx(coincidences(OBSERVED, categories))


def test_raters_of_one_mind_agree_wholly(tmp_path: Path) -> None:
    assert of_votes(tmp_path, raters=3, noise=0) == 1


def test_raters_who_throw_dice_agree_as_by_chance(tmp_path: Path) -> None:
    assert abs(of_votes(tmp_path, raters=8, noise=1e6)) < 0.05


def test_one_rater_agrees_with_nobody(tmp_path: Path) -> None:
    assert np.isnan(of_votes(tmp_path, raters=1, noise=1))
