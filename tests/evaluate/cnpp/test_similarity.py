"""What ControlNet++ calls SSIM is torchmetrics' MS-SSIM, which likes an empty map better than a wrong one."""

import numpy as np
import pytest
import torch
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure

from evaluate.cnpp.canny import trace
from evaluate.cnpp.similarity import LEAST, ms_ssim
from evaluate.measures.soft_edges import soft_f1


@pytest.fixture
def maps(pictures: np.ndarray) -> list[np.ndarray]:
    """Edges of four pictures: [H, W] uint8 in {0, 255}."""
    return [edges * np.uint8(255) for edges in trace(pictures)]


def test_four_draws_score_as_by_their_script(maps: list[np.ndarray]) -> None:
    drawn, asked = (torch.from_numpy(np.stack(each))[:, None] / 255.0 for each in (maps, [maps[0]] * 4))
    theirs = MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0)(drawn.clip(0, 1), asked.clip(0, 1))
    assert np.mean([ms_ssim(maps[0], each) for each in maps]) == pytest.approx(float(theirs), abs=1e-6)


def test_an_empty_map_beats_that_of_another_picture_and_in_v1_it_does_not(maps: list[np.ndarray]) -> None:
    blank, pairs = np.zeros_like(maps[0]), list(zip(maps, [*maps[1:], maps[0]], strict=True))
    unrelated = np.mean([ms_ssim(*pair) for pair in pairs])
    assert np.mean([ms_ssim(each, blank) for each in maps]) > unrelated
    assert all(soft_f1(one, blank).value < soft_f1(one, other).value for one, other in pairs)


def test_a_picture_too_small_for_five_scales_is_refused() -> None:
    small = np.zeros((LEAST - 1, LEAST - 1), np.uint8)
    with pytest.raises(ValueError, match="needs pictures of 176 pixels, not of 175"):
        ms_ssim(small, small)


def test_the_smallest_picture_that_is_taken_has_a_score() -> None:
    smallest = np.eye(LEAST, dtype=np.uint8) * 255
    assert ms_ssim(smallest, smallest) == pytest.approx(1, abs=1e-5)
