"""People are counted as COCO counts keypoints, on cases that can be counted by hand."""

import numpy as np
import pytest

from evaluate.truth.people import Label, average_precision
from manifests.body import OPENPOSE_OF_COCO
from manifests.figures import Poses

SIZE = (400, 400)


def coco(x: float) -> np.ndarray:
    """Somebody of whom all 17 keypoints are labelled, from (x, 100) on."""
    return np.column_stack([x + np.arange(17) * 5.0, 100 + np.arange(17) * 10.0, np.full(17, 2.0)])


def label(x: float, *, points: bool = True, crowd: bool = False) -> Label:
    labelled = coco(x) if points else np.zeros((17, 3))
    return Label(labelled, (x, 100.0, 80.0, 160.0), 80 * 160 * 0.5, crowd)


def person(x: float, *, score: float = 1.0) -> np.ndarray:
    """The same person as OpenPose has it, with a neck besides."""
    found = np.zeros((18, 3), np.float32)
    found[list(OPENPOSE_OF_COCO), :2] = coco(x)[:, :2]
    found[:, 2] = score
    return found


def score(people: list[np.ndarray], labels: list[Label]) -> dict[str, float]:
    return average_precision([Poses(SIZE, tuple(people))], [labels])


def test_every_point_of_openpose_but_the_neck_has_its_name_in_coco() -> None:
    assert sorted(OPENPOSE_OF_COCO) == [point for point in range(18) if point != 1]


def test_those_who_are_just_there_are_found_perfectly() -> None:
    found = score([person(10), person(200)], [label(10), label(200)])
    assert found == pytest.approx({"OKS AP": 1.0, "AP at 0.50": 1.0, "recall at 0.50": 1.0})


def test_one_of_two_found_is_half_the_recall() -> None:
    found = score([person(10)], [label(10), label(200)])
    assert found["recall at 0.50"] == 0.5
    assert found["OKS AP"] == pytest.approx(51 / 101), "precision 1 at the recalls 0.00 to 0.50"


def test_a_false_person_costs_precision_when_it_is_the_surer_one() -> None:
    sure, unsure = ([person(300, score=value), person(10, score=0.5)] for value in (0.9, 0.1))
    assert score(sure, [label(10)])["AP at 0.50"] == pytest.approx(0.5)
    assert score(unsure, [label(10)])["AP at 0.50"] == pytest.approx(1.0)


def test_a_person_without_keypoints_is_neither_asked_for_nor_held_against_who_finds_it() -> None:
    assert score([person(200), person(10, score=0.5)], [label(10), label(200, points=False)])["OKS AP"] == 1.0


def test_a_crowd_excuses_as_many_as_are_found_in_it() -> None:
    people = [person(200), person(205), person(10, score=0.5)]
    assert score(people, [label(10), label(200, crowd=True)])["AP at 0.50"] == 1.0


def test_nobody_found_is_no_error() -> None:
    assert score([], [label(10)])["OKS AP"] == 0.0
