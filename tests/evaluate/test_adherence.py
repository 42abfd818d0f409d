from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.corpora import playroom
from annotate.registry import ANNOTATORS
from evaluate.adherence import ADHERENCE
from evaluate.measures.edges import match, score_edges
from evaluate.measures.measure import Score, f1, precision, recall
from evaluate.measures.soft_edges import ms_ssim, score_soft_edges
from manifests import geometry
from manifests.figures import Segments
from tests.evaluate.synthetic import edges

Condition = NDArray[np.uint8]
PICTURES = [edges(playroom.record(3, row).image) for row in range(4)]


def points(*places: tuple[int, int]) -> Condition:
    """A map of 32 by 32 with these pixels set."""
    condition = np.zeros((32, 32), np.uint8)
    for row, column in places:
        condition[row, column] = 1
    return condition


def line(column: int) -> Condition:
    condition = np.zeros((32, 32), np.uint8)
    condition[:, column] = 1
    return condition


def values(scores: dict[str, Score]) -> dict[str, float]:
    return {name: score.value for name, score in scores.items()}


def as_kind(annotator: str, condition: Condition) -> Any:
    """Edges in the form of the annotator's conditions; lines go from some of the pixels to others."""
    kind = ANNOTATORS[annotator].kind
    if kind == "lines":
        ends = np.argwhere(condition)[: len(np.argwhere(condition)) // 32 * 32 : 16, ::-1].reshape(-1, 4)
        return Segments(condition.shape, np.column_stack([ends, np.ones(len(ends))]).astype(np.float32))
    return condition * np.uint8(255) if kind == "soft" else condition


def test_every_annotator_has_a_measure_and_one_of_them_is_primary() -> None:
    assert ADHERENCE.keys() == ANNOTATORS.keys()
    for adherence in ADHERENCE.values():
        assert sum(measure.primary for measure in adherence.measures) == 1


@pytest.mark.parametrize("annotator", ADHERENCE)
def test_what_is_scored_is_what_is_declared(annotator: str) -> None:
    scores = ADHERENCE[annotator].score(*(as_kind(annotator, picture) for picture in PICTURES[:2]))
    assert set(scores) == {measure.name for measure in ADHERENCE[annotator].measures}


@pytest.mark.parametrize("annotator", ADHERENCE)
def test_a_condition_adheres_perfectly_to_itself(annotator: str) -> None:
    for picture in PICTURES:
        condition = as_kind(annotator, picture)
        assert values(ADHERENCE[annotator].score(condition, condition)) == pytest.approx(
            {measure.name: 1.0 for measure in ADHERENCE[annotator].measures}, abs=1e-6
        )


@pytest.mark.parametrize("annotator", ADHERENCE)
def test_nothing_drawn_scores_nothing_on_the_primary_measure(annotator: str) -> None:
    asked, nothing = (as_kind(annotator, edges) for edges in (PICTURES[0], np.zeros_like(PICTURES[0])))
    scores = ADHERENCE[annotator].score(asked, nothing)
    assert scores[ADHERENCE[annotator].primary.name].value == 0


@pytest.mark.parametrize("annotator", ADHERENCE)
def test_flipping_both_conditions_changes_no_score(annotator: str) -> None:
    asked, drawn = (as_kind(annotator, picture) for picture in PICTURES[:2])
    score, kind = ADHERENCE[annotator].score, ANNOTATORS[annotator].kind
    mirrored = score(geometry.flip(kind, asked), geometry.flip(kind, drawn))
    assert values(mirrored) == pytest.approx(values(score(asked, drawn)))


@pytest.mark.parametrize("annotator", ADHERENCE)
def test_the_primary_measure_ranks_itself_above_a_shift_and_another_picture(annotator: str) -> None:
    rolled = np.roll(PICTURES[0], (4, 4), (0, 1))
    asked, shifted, other = (as_kind(annotator, picture) for picture in (PICTURES[0], rolled, PICTURES[1]))
    name, score = ADHERENCE[annotator].primary.name, ADHERENCE[annotator].score
    same, aside, unrelated = (score(asked, drawn)[name].value for drawn in (asked, shifted, other))
    assert same > max(aside, unrelated)


def test_a_line_beside_the_one_asked_for_fails_strictly_and_passes_within_a_pixel() -> None:
    assert values(score_edges(line(8), line(9))) == {"f1": 0, "f1_1px": 1, "precision_1px": 1, "recall_1px": 1}
    assert values(score_edges(line(8), line(10))) == {"f1": 0, "f1_1px": 0, "precision_1px": 0, "recall_1px": 0}


def test_edge_f1_is_the_one_computed_by_hand() -> None:
    asked = points((2, 2), (2, 10), (2, 20), (20, 2))
    drawn = points((2, 2), (3, 11), (28, 28))  # on the pixel, one aside diagonally, far off
    assert values(score_edges(asked, drawn)) == pytest.approx(
        {"f1": 2 / 7, "precision_1px": 2 / 3, "recall_1px": 2 / 4, "f1_1px": 4 / 7}
    )


def test_a_stroke_counts_within_three_pixels_and_no_farther() -> None:
    score = ADHERENCE["scribble"].score
    assert values(score(line(8), line(11))) == {"recall_3px": 1, "precision_3px": 1}
    assert values(score(line(8), line(12))) == {"recall_3px": 0, "precision_3px": 0}
    assert values(score(line(8), line(8) | line(20))) == {"recall_3px": 1, "precision_3px": 0.5}


def test_soft_f1_is_the_one_computed_by_hand() -> None:
    asked, drawn = np.zeros((32, 32), np.uint8), np.zeros((32, 32), np.uint8)
    asked[4, 4:8], drawn[4, 4:6], drawn[20, 20] = 255, 255, 51  # asks 4.0; draws 2.2, of which 2.0 was asked
    assert score_soft_edges(asked, drawn)["soft_f1"].value == pytest.approx(2 * 2 / (4 + 2.2))


@pytest.mark.parametrize("side", range(16, 265, 8))
def test_ms_ssim_works_at_every_resolution(side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, side, side), np.uint8)
    assert ms_ssim(noise[0], noise[0]) == pytest.approx(1, abs=1e-5)
    assert 0 <= ms_ssim(noise[0], noise[1]) < 0.5


def test_every_value_can_be_made_again_from_its_counts() -> None:
    scores = score_edges(PICTURES[0], PICTURES[1])
    assert f1(scores["f1_1px"]) == scores["f1_1px"].value
    assert precision(scores["precision_1px"]) == scores["precision_1px"].value
    assert recall(scores["recall_1px"]) == scores["recall_1px"].value
    assert match(PICTURES[0], PICTURES[1], radius=0).asked == np.count_nonzero(PICTURES[0])
