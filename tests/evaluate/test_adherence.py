from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotate.corpora import playroom
from annotate.normal import Normal
from annotate.registry import ANNOTATORS
from evaluate.adherence import ADHERENCE
from evaluate.measures.classes import score_classes
from evaluate.measures.depth import score_depth
from evaluate.measures.edges import chamfer, match, score_edges
from evaluate.measures.measure import Score, f1, precision, recall
from evaluate.measures.normal import score_normal
from evaluate.measures.soft_edges import ms_ssim, score_soft_edges
from evaluate.retrieval import retrieve
from manifests.condition import WORDS_AND_NUMBERS
from manifests.figures import Segments
from manifests.geometry import flip
from tests.evaluate.synthetic import edges

Condition = NDArray[np.uint8]
DRAWN = [name for name in ADHERENCE if name != "openpose"]  # people have a file of their own
SHARES = [name for name in DRAWN if ADHERENCE[name].primary.higher_is_better]  # the others: errors
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


FORMS = {  # of what an annotator makes, from an edge map
    **dict.fromkeys(("hed", "softedge", "lineart"), lambda edge: edge * np.uint8(255)),
    "segmentation": lambda edge: edge + np.uint8(1),
}


def as_kind(annotator: str, condition: Condition) -> Any:
    """Edges in the form of the annotator's conditions: depth is how far each pixel is from them, lines join some."""
    if annotator == "depth":
        return cv2.distanceTransform(1 - condition, cv2.DIST_L2, 5) + np.float32(3)
    if annotator == "normal":
        return Normal().load(torch.device("cpu"))(as_kind("depth", condition)[None], [{}])[0]
    if annotator == "mlsd":
        ends = np.argwhere(condition)[: len(np.argwhere(condition)) // 32 * 32 : 16, ::-1].reshape(-1, 4)
        return Segments(condition.shape, np.column_stack([ends, np.ones(len(ends))]).astype(np.float32))
    return FORMS.get(annotator, lambda edge: edge)(condition)


def test_every_annotator_but_of_words_and_numbers_has_a_measure_and_one_of_them_is_primary() -> None:
    drawn = {name for name, annotator in ANNOTATORS.items() if annotator.kind not in WORDS_AND_NUMBERS}
    assert ADHERENCE.keys() == drawn
    for adherence in ADHERENCE.values():
        assert sum(measure.primary for measure in adherence.measures) == 1


@pytest.mark.parametrize("annotator", DRAWN)
def test_what_is_scored_is_what_is_declared(annotator: str) -> None:
    scores = ADHERENCE[annotator].score(*(as_kind(annotator, picture) for picture in PICTURES[:2]))
    assert set(scores) == {measure.name for measure in ADHERENCE[annotator].measures}


@pytest.mark.parametrize("annotator", DRAWN)
def test_a_condition_adheres_perfectly_to_itself(annotator: str) -> None:
    for picture in PICTURES:
        condition = as_kind(annotator, picture)
        assert values(ADHERENCE[annotator].score(condition, condition)) == pytest.approx(
            {measure.name: float(measure.higher_is_better) for measure in ADHERENCE[annotator].measures}, abs=1e-6
        )


@pytest.mark.parametrize("annotator", DRAWN)
def test_a_condition_is_likest_to_itself_among_others(annotator: str) -> None:
    conditions = [as_kind(annotator, picture) for picture in PICTURES]
    for place, condition in enumerate(conditions):
        others = conditions[:place] + conditions[place + 1 :]
        assert retrieve(ADHERENCE[annotator].likeness, condition, others, condition).value == 1
        assert retrieve(ADHERENCE[annotator].likeness, others[0], [condition, *others[1:]], condition).value == 0


@pytest.mark.parametrize("annotator", SHARES)
def test_nothing_drawn_scores_nothing_on_the_primary_measure(annotator: str) -> None:
    asked = as_kind(annotator, PICTURES[0])
    nothing = Segments(asked.shape, asked.lines[:0]) if isinstance(asked, Segments) else np.zeros_like(asked)
    scores = ADHERENCE[annotator].score(asked, nothing)
    assert scores[ADHERENCE[annotator].primary.name].value == 0


@pytest.mark.parametrize("annotator", DRAWN)
def test_flipping_both_conditions_changes_no_score(annotator: str) -> None:
    asked, drawn = (as_kind(annotator, picture) for picture in PICTURES[:2])
    score = ADHERENCE[annotator].score
    mirrored = (flip(ANNOTATORS[annotator].kind, condition) for condition in (asked, drawn))
    assert values(score(*mirrored)) == pytest.approx(values(score(asked, drawn)))


@pytest.mark.parametrize("annotator", DRAWN)
def test_the_primary_measure_ranks_itself_above_a_shift_and_another_picture(annotator: str) -> None:
    rolled = np.roll(PICTURES[0], (4, 4), (0, 1))
    asked, shifted, other = (as_kind(annotator, picture) for picture in (PICTURES[0], rolled, PICTURES[1]))
    primary, score = ADHERENCE[annotator].primary, ADHERENCE[annotator].score
    same, aside, unrelated = (score(asked, drawn)[primary.name].value for drawn in (asked, shifted, other))
    assert same > max(aside, unrelated) if primary.higher_is_better else same < min(aside, unrelated)


def test_a_line_beside_the_one_asked_for_fails_strictly_and_passes_within_a_pixel() -> None:
    assert values(score_edges(line(8), line(9))) == {
        "f1": 0, "f1_1px": 1, "f1_2px": 1, "precision_1px": 1, "recall_1px": 1
    }  # fmt: skip
    assert values(score_edges(line(8), line(10))) == {
        "f1": 0, "f1_1px": 0, "f1_2px": 1, "precision_1px": 0, "recall_1px": 0
    }  # fmt: skip


def test_edge_f1_is_the_one_computed_by_hand() -> None:
    asked = points((2, 2), (2, 10), (2, 20), (20, 2))
    drawn = points((2, 2), (3, 11), (28, 28))  # on the pixel, one aside diagonally, far off
    assert values(score_edges(asked, drawn)) == pytest.approx(
        {"f1": 2 / 7, "precision_1px": 2 / 3, "recall_1px": 2 / 4, "f1_1px": 4 / 7, "f1_2px": 4 / 7}
    )


def test_a_stroke_counts_within_three_pixels_and_no_farther() -> None:
    score = ADHERENCE["scribble"].score
    diagonal = 32 * np.sqrt(2)
    assert values(score(line(8), line(11))) == pytest.approx(
        {"recall_3px": 1, "precision_3px": 1, "chamfer": 3 / diagonal}
    )
    assert values(score(line(8), line(12))) == pytest.approx(
        {"recall_3px": 0, "precision_3px": 0, "chamfer": 4 / diagonal}
    )
    assert values(score(line(8), line(8) | line(20))) == pytest.approx(
        {"recall_3px": 1, "precision_3px": 0.5, "chamfer": (0 + 12 / 2) / 2 / diagonal}
    )


def test_strokes_are_a_whole_diagonal_from_no_strokes() -> None:
    nothing = np.zeros((32, 32), np.uint8)
    assert (chamfer(line(8), nothing), chamfer(nothing, line(8)), chamfer(nothing, nothing)) == (1, 1, 0)


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


def test_overlap_of_classes_is_the_one_computed_by_hand() -> None:
    asked = np.array([[0, 0, 1, 1, 255, 255], [0, 0, 1, 1, 255, 7]], np.uint8)
    drawn = np.array([[0, 0, 0, 1, 3, 255], [0, 0, 5, 1, 7, 7]], np.uint8)
    # Class 0: 4 of 5, class 1: 2 of 4, class 7: 1 of 1, for what was drawn where nothing was asked is nobody's fault.
    assert values(score_classes(asked, drawn)) == pytest.approx(
        {"miou": (4 / 5 + 2 / 4 + 1) / 3, "miou_all": (4 / 5 + 2 / 4 + 1 + 0) / 4, "pixel_accuracy": 7 / 9}
    )
    nothing = np.full_like(asked, 255)
    assert values(score_classes(nothing, drawn)) == {"miou": 0, "miou_all": 0, "pixel_accuracy": 0}
    assert values(score_classes(asked, nothing)) == {"miou": 0, "miou_all": 0, "pixel_accuracy": 0}


def test_overlap_of_classes_is_that_of_torchmetrics() -> None:
    from torchmetrics.functional import jaccard_index

    asked, drawn = np.random.default_rng(0).integers(0, 150, (2, 64, 64), np.uint8)
    theirs = jaccard_index(
        torch.from_numpy(drawn).long(), torch.from_numpy(asked).long(), "multiclass", num_classes=150, average="macro"
    )
    assert len(np.unique(asked)) == 150
    assert score_classes(asked, drawn)["miou"].value == pytest.approx(float(theirs))


def test_depth_scores_are_those_computed_by_hand() -> None:
    asked = np.array([[0, 1], [2, 4]], np.float32)  # stretched: 0, 0.25, 0.5, 1
    # The line through drawn 0, 2, 6, 7 that is nearest to those, by the normal equations.
    scale = (4 * (2 * 0.25 + 6 * 0.5 + 7 * 1) - 15 * 1.75) / (4 * (4 + 36 + 49) - 15**2)
    shift = (1.75 - scale * 15) / 4
    drawn = np.array([[0, 2], [6, 7]], np.float32)
    found, wanted = scale * drawn + shift, np.array([[0, 0.25], [0.5, 1]])
    off = np.abs(found - wanted)
    near = wanted > 0
    assert values(score_depth(asked, drawn)) == pytest.approx(
        {
            "rmse": np.sqrt((off**2).mean()),
            "abs_rel": (off[near] / wanted[near]).mean(),
            "delta1": (np.maximum(found[near] / wanted[near], wanted[near] / found[near]) < 1.25).mean(),
            "spearman": 1.0,
        }
    )


def test_scale_and_shift_of_depth_cost_nothing_but_its_sign_does() -> None:
    asked = as_kind("depth", PICTURES[0])
    assert values(score_depth(asked, 17 * asked - 5)) == pytest.approx(values(score_depth(asked, asked)), abs=1e-6)
    inside_out = values(score_depth(asked, -asked))
    assert inside_out["spearman"] == pytest.approx(-1)
    flat = values(score_depth(asked, np.full_like(asked, 7)))
    assert flat["spearman"] == 0
    assert flat["rmse"] == inside_out["rmse"] == pytest.approx(asked.std() / np.ptp(asked))
    assert not np.isnan(list(values(score_depth(np.full_like(asked, 7), asked)).values())).any()


def test_rank_correlation_of_depth_is_that_of_scipy() -> None:
    asked, drawn = (as_kind("depth", picture) for picture in PICTURES[:2])
    assert score_depth(asked, drawn)["spearman"].value == pytest.approx(
        spearmanr(asked.ravel(), drawn.ravel()).statistic
    )


def test_angles_of_normals_are_those_computed_by_hand() -> None:
    def stored(*degrees: float) -> Condition:  # normals that lean so far to one side
        lean = np.radians(degrees)
        vectors = np.stack([np.sin(lean), 0 * lean, np.cos(lean)], axis=1)
        return np.rint((vectors + 1) * 127.5).astype(np.uint8)[None]

    scores = values(score_normal(stored(0, 0, 0, -30), stored(0, 10, 40, 40)))
    assert scores["angle"] == pytest.approx((0 + 10 + 40 + 70) / 4, abs=0.3)  # 8 bits: a third of a degree
    assert scores["within_11_25"] == 0.5
