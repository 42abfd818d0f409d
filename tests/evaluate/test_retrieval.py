import numpy as np
import pytest

from evaluate.measures.edges import edge_likeness
from evaluate.retrieval import RIVALS, retrieve, rivals


def maps(count: int, seed: int) -> list[np.ndarray]:
    """Edge maps that have nothing to do with each other."""
    return list((np.random.default_rng(seed).random((count, 32, 32)) < 0.1).astype(np.uint8))


def test_every_sample_is_held_against_others_and_never_against_itself() -> None:
    assert rivals(98, samples=100)[:3] == [99, 0, 1]
    assert all(len(set(rivals(place, samples=100)) - {place}) == RIVALS for place in range(100))
    assert rivals(1, samples=3) == [2, 0]
    assert rivals(0, samples=1) == []


def test_a_control_that_is_ignored_finds_its_condition_no_more_often_than_chance() -> None:
    found = []
    for trial in range(40):
        conditions, pictures = maps(32, seed=trial), maps(32, seed=1_000 + trial)
        scores = [
            retrieve(edge_likeness, own, conditions[:place] + conditions[place + 1 :], pictures[place])
            for place, own in enumerate(conditions)
        ]
        assert {score.asked for score in scores} == {32}
        found += [score.value for score in scores]
    assert np.mean(found) == pytest.approx(1 / 32, abs=3 * np.sqrt(1 / 32 / len(found)))


def test_where_nothing_is_found_the_answer_is_a_guess() -> None:
    conditions = maps(8, seed=0)
    assert retrieve(edge_likeness, conditions[0], conditions[1:], np.zeros((32, 32), np.uint8)).value == 1 / 8


def test_two_of_one_condition_share_the_answer() -> None:
    own, other = maps(2, seed=0)
    assert retrieve(edge_likeness, own, [own, other], own).value == 1 / 2
    assert retrieve(edge_likeness, own, [own, other], other).value == 0
