import numpy as np
import pytest
import torch

from manifests.figures import Poses, Segments
from train.hints import HINTS, hint
from train.palette import COLOURS


def test_binary_edges_are_drawn_white_on_black_in_three_equal_channels() -> None:
    drawn = hint("binary", np.eye(4, dtype=np.uint8))
    assert drawn.dtype == torch.float32
    assert drawn.shape == (3, 4, 4)
    assert all(torch.equal(channel, torch.eye(4)) for channel in drawn)


def test_soft_edges_cover_zero_to_one() -> None:
    drawn = hint("soft", np.array([[0, 255]], np.uint8))
    assert drawn.tolist() == [[[0.0, 1.0]]] * 3


def test_a_kind_without_a_drawing_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="kind 'sound'"):
        hint("sound", np.zeros((2, 2), np.uint8))


rng = np.random.default_rng(0)
CONDITIONS = {
    "binary": rng.integers(0, 2, (8, 9)).astype(np.uint8),
    "soft": rng.integers(0, 256, (8, 9)).astype(np.uint8),
    "depth": rng.normal(size=(8, 9)).astype(np.float32),
    "normal": rng.integers(0, 256, (8, 9, 3)).astype(np.uint8),
    "classes": rng.integers(0, 256, (8, 9)).astype(np.uint8),
    "keypoints": Poses((8, 9), (rng.uniform(0, 8, (18, 3)).astype(np.float32),)),
    "lines": Segments((8, 9), rng.uniform(0, 8, (5, 5)).astype(np.float32)),
}


@pytest.mark.parametrize("kind", HINTS)
def test_every_hint_lies_between_zero_and_one(kind: str) -> None:
    drawn = hint(kind, CONDITIONS[kind])
    assert drawn.shape == (3, 8, 9)
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1


def test_classes_are_drawn_in_the_colours_of_controlnet_aux() -> None:
    from controlnet_aux.util import ade_palette

    indices = np.arange(150, dtype=np.uint8).reshape(10, 15)
    drawn = (hint("classes", indices) * 255).permute(1, 2, 0).reshape(150, 3)
    assert drawn.round().int().tolist() == [list(colour) for colour in ade_palette()]


def test_a_drawing_of_classes_could_not_be_read_back() -> None:
    assert len(np.unique(COLOURS[:150], axis=0)) == 149
    assert COLOURS[6].tolist() == COLOURS[48].tolist() == [140, 140, 140]


def test_classes_above_those_of_ade20k_have_colours_of_their_own_and_no_class_is_black() -> None:
    assert len(np.unique(COLOURS, axis=0)) == 255
    assert hint("classes", np.array([[255]], np.uint8)).max() == 0
