"""Soft edges are found as by HEDdetector of ControlNet++, in which an untrained network is put."""

from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux.hed import ControlNetHED_Apache2
from torch.nn import functional

from annotate.weights import VARIABLE
from evaluate.cnpp.hed import HED
from evaluate.cnpp.judge import Judge


@pytest.fixture(scope="module")
def network(playrooms: np.ndarray) -> ControlNetHED_Apache2:
    torch.manual_seed(0)
    network = ControlNetHED_Apache2().eval().requires_grad_(False)
    sides = network(torch.from_numpy(playrooms[:1]).permute(0, 3, 1, 2).float())
    for number, side in enumerate(sides, 1):  # so that its maps span their range, as those of a trained network
        projection = getattr(network, f"block{number}").projection
        projection.weight.mul_(2 / side.std())
        projection.bias.copy_((projection.bias - side.mean()) * 2 / side.std())
    return network


@pytest.fixture
def judge(network: ControlNetHED_Apache2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    torch.save(network.state_dict(), tmp_path / "ControlNetHED.pth")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return HED.load(torch.device("cpu"))


def detect(network: ControlNetHED_Apache2, picture: np.ndarray) -> np.ndarray:
    """eval/utils.py:316-325, and the bytes that eval/eval.py:199 makes of it."""
    images = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255.0
    sides = network((images * 255).clip(0, 255))
    logits = torch.stack([functional.interpolate(side, picture.shape[:2], mode="bilinear") for side in sides], dim=1)
    edge = (1 / (1 + torch.exp(-logits.mean(dim=1))) * 255.0).clip(0, 255).to(torch.uint8)
    return (edge / 255.0).mul(255).byte()[0, 0].numpy()


def test_soft_edges_are_those_of_their_script_but_for_rounding(
    judge: Judge, network: ControlNetHED_Apache2, playrooms: np.ndarray
) -> None:
    (ours,), theirs = judge.find(playrooms[:1]), detect(network, playrooms[0])
    apart = np.abs(ours.astype(int) - theirs)
    assert np.ptp(theirs) > 10
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


def test_a_condition_adheres_perfectly_to_itself(judge: Judge, playrooms: np.ndarray) -> None:
    found = judge.find(playrooms[:1])
    (asked,) = judge.ask(playrooms[:1], found)
    assert judge.score(asked, found[0]).value == pytest.approx(1, abs=1e-5)
