"""A rater who answers alike agrees with themselves; dice agree in half of the pairs."""

from pathlib import Path

import pytest

from evaluate.ranking.key import Key
from evaluate.ranking.raters import Rater, rater_of
from evaluate.ranking.votes import Ballot, read_ballots
from tests.evaluate.ranking.planted import ballot, key, write_votes


def summed(of: Key, votes: dict) -> Rater:
    return rater_of(Ballot.model_validate(votes), of)


def test_a_rater_who_never_wavers_agrees_with_themselves() -> None:
    found = summed(key(), ballot(key(), "Ann", seed=0, noise=0))
    assert (found.itself, found.pairs, found.answers, found.asked, found.seconds) == (1, 24, 44, 44, 4)


def test_two_pictures_exchanged_are_one_pair_of_six() -> None:
    votes = ballot(key(repeats=1), "Ann", seed=0, noise=0)
    ranks = votes["answers"][-1]["ranks"]
    first, second = ranks.index(1), ranks.index(2)
    ranks[first], ranks[second] = 2, 1
    assert summed(key(repeats=1), votes).itself == pytest.approx(11 / 12)


def test_dice_agree_in_half_of_the_pairs(tmp_path: Path) -> None:
    of = key(samples=60, repeats=60)
    (found,) = read_ballots(write_votes(tmp_path, of, raters=1, noise=1e6), of)
    assert rater_of(found, of).itself == pytest.approx(0.5, abs=0.08)


def test_nothing_is_said_where_no_sample_came_again() -> None:
    found = summed(key(repeats=0), ballot(key(repeats=0), "Ann", seed=0))
    assert (found.itself, found.pairs) == (None, 0)
