"""Line drawings are inverted as by ControlNet++, in bytes that wrap, and in v1 they are not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux.lineart import Generator
from PIL import Image
from torchvision.transforms import functional

from annotate.weights import VARIABLE
from evaluate.cnpp.judge import Judge
from evaluate.cnpp.lineart import LINEART, ask, inverted, lineart_ssim, to_bytes
from evaluate.measures.soft_edges import score_soft_edges


@pytest.fixture(scope="module")
def network() -> Generator:
    torch.manual_seed(0)
    return Generator(3, 1, 3).eval().requires_grad_(False)


@pytest.fixture
def judge(network: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    torch.save(network.state_dict(), tmp_path / "sk_model.pth")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return LINEART.load(torch.device("cpu"))


@pytest.fixture
def ink(pictures: np.ndarray) -> np.ndarray:
    """Ink as dark as a picture, a two-hundredth of it as black as can be: [H, W] float32 in [0, 1]."""
    grey = pictures[0].mean(axis=2, dtype=np.float32)
    spread = (grey - grey.min()) / np.ptp(grey) * 0.98 + 0.01
    black = np.random.default_rng(0).random(grey.shape) < 0.005
    return np.where(black, 0, spread).astype(np.float32)


def test_the_darkest_two_levels_become_paper() -> None:
    levels = np.arange(256, dtype=np.uint8)
    found = inverted(levels).astype(int)
    assert found[:2].tolist() == [1, 0]
    assert np.array_equal(found[2:], 257 - levels[2:].astype(int))
    assert np.array_equal(found, (1 - torch.from_numpy(levels)).numpy())


def test_what_a_drawing_is_asked_for_is_lost_where_it_is_blackest_and_in_v1_it_is_not(ink: np.ndarray) -> None:
    (asked,) = ask(np.empty(0, np.uint8), [ink])
    without = np.maximum(ink, np.float32(0.01))
    assert lineart_ssim(asked, ink).value < 0.99
    assert lineart_ssim(ask(np.empty(0, np.uint8), [without])[0], without).value > 0.999
    ours = 255 - to_bytes(ink)
    assert score_soft_edges(ours, ours)["soft_f1"].value == 1


def test_ink_and_bytes_are_those_of_their_script(judge: Judge, network: Generator, playrooms: np.ndarray) -> None:
    tensors = functional.pil_to_tensor(Image.fromarray(playrooms[0]))[None] / 255.0
    theirs = network(tensors)
    (found,) = judge.find(playrooms[:1])
    assert found == pytest.approx(theirs[0, 0].numpy(), abs=1e-5)
    tensor = torch.from_numpy(found)
    assert np.array_equal(to_bytes(found), np.array(functional.to_pil_image(tensor)))
    assert np.array_equal(ask(playrooms, [found])[0], np.array(functional.to_pil_image(1 - tensor, "L")))
