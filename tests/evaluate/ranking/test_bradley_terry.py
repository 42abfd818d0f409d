"""Strengths are those of the closed form, of a published league and of the votes; runs that nothing links are named."""

import numpy as np
import pytest

from evaluate.ranking.bradley_terry import preferences, strengths, tiers, wins

# Agresti, Categorical Data Analysis (2013), American League East 1987: wins of each team over each other
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
LEAGUE = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    np.float64,
)
ABOVE_BALTIMORE = (1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0)


def test_two_runs_differ_by_the_logarithm_of_their_odds() -> None:
    won = np.array([[[0.0, 30], [10, 0]]])
    assert strengths(won, ghost=0)[0] == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    assert np.diff(strengths(won)[0]) == pytest.approx(-np.log(30.5 / 10.5))


def test_a_league_has_its_published_strengths() -> None:
    found = strengths(LEAGUE[None], ghost=0)[0]
    assert found - found[-1] == pytest.approx(ABOVE_BALTIMORE, abs=0.005)
    assert found.sum() == pytest.approx(0, abs=1e-9)


def test_a_team_wins_as_often_as_its_strength_says() -> None:
    found = strengths(LEAGUE[None], ghost=0)[0]
    odds = np.exp(found[:, None] - found)
    assert (13 * (odds / (1 + odds) - np.eye(7) / 2)).sum(axis=1) == pytest.approx(LEAGUE.sum(axis=1), abs=1e-5)


def test_a_ranking_is_a_win_over_each_run_below_and_half_a_one_over_its_equals() -> None:
    ranks = np.array([[1, 2.5, 2.5]])
    assert preferences(ranks).tolist() == [[[0, 1, 1], [0, 0, 0.5], [0, 0.5, 0]]]
    assert wins(ranks, np.array([[3.0], [0.0]])).tolist() == [[[0, 3, 3], [0, 0, 1.5], [0, 1.5, 0]], [[0] * 3] * 3]


def test_runs_that_are_always_tied_are_equally_strong() -> None:
    assert strengths(wins(np.full((5, 3), 2.0), np.ones((1, 5))))[0] == pytest.approx([0, 0, 0])


def test_a_run_that_never_lost_has_no_strength_but_by_the_ghost_tie() -> None:
    won = np.array([[0.0, 4, 4], [0, 0, 2], [0, 2, 0]])
    assert tiers(won) == [[0], [1, 2]]
    with pytest.raises(ValueError, match="Add a ghost tie to each pair"):
        strengths(won[None], ghost=0)
    assert np.isfinite(strengths(won[None])).all()


def test_tiers_go_from_the_highest_to_the_lowest() -> None:
    ranks = np.array([[3.0, 1, 2, 4], [3, 2, 1, 4]])
    assert tiers(wins(ranks, np.ones((1, 2)))[0]) == [[1, 2], [0], [3]]
