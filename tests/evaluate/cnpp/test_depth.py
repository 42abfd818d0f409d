"""Depth is scored as by eval_depth.py of ControlNet++, where the perfect answer is not the best, and in v1 it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import mse_loss
from torchvision.transforms import functional
from transformers import DPTForDepthEstimation, DPTImageProcessor

from annotate.weights import VARIABLE
from evaluate.cnpp.depth import DEPTH, MODEL, depth_rmse, from_maximum, from_minimum
from evaluate.measures.depth import score_depth
from tests.annotate.toy_depth import write_toy_dpt

SIZE = (64, 64)


def ramp(nearest: float, farthest: float) -> np.ndarray:
    return np.linspace(farthest, nearest, 64 * 64, dtype=np.float32).reshape(SIZE)


def hint(inverse: np.ndarray) -> np.ndarray:
    return np.round((inverse - inverse.min()) / np.ptp(inverse) * 255).astype(np.uint8)


@pytest.mark.parametrize(("farthest", "expected"), [(0.05, 7.4), (0.1, 14.7), (0.2, 29.4)])
def test_perfect_depth_scores_worse_the_higher_its_minimum_and_in_v1_it_is_perfect(
    farthest: float, expected: float
) -> None:
    inverse = ramp(1, farthest)
    perfect = depth_rmse(from_minimum(hint(inverse)), from_maximum(inverse, SIZE)).value
    # 255 times the root of the mean square of r (1 - x), x from 0 to 1
    assert perfect == pytest.approx(255 * farthest / np.sqrt(3), abs=0.5)
    assert perfect == pytest.approx(expected, abs=0.5)
    assert score_depth(inverse, inverse)["rmse"].value == pytest.approx(0, abs=1e-6)


def test_the_same_depth_at_another_scale_and_shift_is_worse_and_in_v1_it_is_not() -> None:
    asked, shifted = ramp(1, 0), ramp(1, 0) * 2 + 3
    assert depth_rmse(from_minimum(hint(asked)), from_maximum(shifted, SIZE)).value > 50
    assert score_depth(asked, shifted)["rmse"].value == pytest.approx(0, abs=1e-6)


def test_the_error_is_that_of_their_script() -> None:
    one, other = (np.random.default_rng(seed).integers(0, 256, SIZE, np.uint8) for seed in (0, 1))
    theirs = torch.sqrt(mse_loss(torch.from_numpy(other).float(), torch.from_numpy(one).float()))
    assert depth_rmse(one, other).value == pytest.approx(float(theirs), rel=1e-6)


def test_a_hint_is_stretched_as_by_their_script() -> None:
    label = np.random.default_rng(0).integers(20, 200, SIZE, np.uint8)
    theirs = (label - label.min()) / (label.max() - label.min()) * 255
    assert np.array_equal(from_minimum(label), theirs.astype("uint8"))


def test_flat_depth_is_the_farthest() -> None:
    assert not from_minimum(np.full(SIZE, 7, np.uint8)).any()
    assert not from_maximum(np.zeros(SIZE, np.float32), SIZE).any()


def test_predictions_are_those_of_their_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playrooms: np.ndarray
) -> None:
    folder = tmp_path / MODEL
    folder.parent.mkdir()
    write_toy_dpt(folder)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    ours = DEPTH.load(torch.device("cpu")).find(playrooms)
    network, processor = DPTForDepthEstimation.from_pretrained(folder), DPTImageProcessor.from_pretrained(folder)
    with torch.no_grad():
        images = [Image.fromarray(picture) for picture in playrooms]
        predicted = network(**processor(images=images, return_tensors="pt")).predicted_depth
    size, way = playrooms.shape[1:3], Image.Resampling.BILINEAR
    theirs = [functional.to_pil_image(x / x.max()).convert("RGB").resize(size, way).convert("L") for x in predicted]
    apart = np.abs(np.stack(ours).astype(int) - np.stack([np.array(each) for each in theirs]))
    assert np.ptp(ours[0]) > 10
    assert apart.max() <= 1  # pictures go through the network one by one on a CPU
    assert apart.mean() < 0.01
