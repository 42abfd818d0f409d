"""A hint is the drawing of a condition, as the network reads it."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from manifests.condition import Condition
from manifests.figures import Segments
from train.draw_people import draw_people
from train.palette import COLOURS

Drawing = Callable[[Condition], Tensor]


def draw_binary(condition: np.ndarray) -> Tensor:
    """Draw edges white on black.

    Args:
        condition: [H, W] uint8 in {0, 1}.

    Returns:
        [3, H, W] float32 in {0, 1}.
    """
    return _grey(torch.from_numpy(condition).float())


def draw_soft(condition: np.ndarray) -> Tensor:
    """Draw soft edges, strong ones white.

    Args:
        condition: [H, W] uint8 in 0..255.

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    return _grey(torch.from_numpy(condition).float() / 255)


def draw_depth(condition: np.ndarray) -> Tensor:
    """Draw depth from black, the farthest point of this very crop, to white, its nearest: as MiDaS detectors do.

    Args:
        condition: [H, W] float32, finite; larger is nearer.

    Returns:
        [3, H, W] float32 in [0, 1]; all 0 where there is no depth to tell apart.
    """
    depth = torch.from_numpy(condition)
    low, high = depth.min(), depth.max()
    return _grey(((depth - low) / (high - low).clamp(min=1e-12)).float())


def draw_normal(condition: np.ndarray) -> Tensor:
    """Draw normals as controlnet_aux does, z as red, y as green and x as blue.

    Args:
        condition: [H, W, 3] uint8: x to the left, y up, z to the viewer, (n + 1) * 127.5.

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    return _colours(condition[..., ::-1])


def draw_classes(condition: np.ndarray) -> Tensor:
    """Draw classes in the 150 colours of ADE20K and, above them, some of our own; black where there is none.

    Args:
        condition: [H, W] uint8 indices from 0, `NO_CLASS` for none.

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    return _colours(COLOURS[condition])


def draw_lines(condition: Segments) -> Tensor:
    """Draw lines white on black, one pixel wide, from whole pixel to whole pixel, as controlnet_aux's M-LSD does.

    Returns:
        [3, H, W] float32 in {0, 1}.
    """
    canvas = np.zeros(condition.shape, np.uint8)
    for start_x, start_y, end_x, end_y in condition.lines[:, :4].astype(int).tolist():
        cv2.line(canvas, (start_x, start_y), (end_x, end_y), 255, 1)
    return draw_soft(canvas)


HINTS: dict[str, Drawing] = {
    "binary": draw_binary,
    "soft": draw_soft,
    "depth": draw_depth,
    "normal": draw_normal,
    "classes": draw_classes,
    "keypoints": draw_people,
    "lines": draw_lines,
}


def hint(kind: str, condition: Condition) -> Tensor:
    """Draw a condition of any kind that has a drawing.

    Args:
        kind: how the family stores its condition, e.g. "binary".
        condition: as `manifests.condition.decode` gives it.

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    return drawing(kind)(condition)


def as_picture(hint: Tensor) -> NDArray[np.uint8]:
    """Turn a hint, [3, H, W] float32 in [0, 1], into a picture, [H, W, 3] uint8 RGB."""
    return (hint.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def drawing(kind: str) -> Drawing:
    """Find the drawing of a kind of condition."""
    if kind not in HINTS:
        raise ValueError(
            f"condition: no hint is drawn from conditions of kind '{kind}' (from {', '.join(HINTS)} it is). "
            "Choose a family of such a kind, or add its drawing to train/hints.py"
        )
    return HINTS[kind]


def _grey(values: Tensor) -> Tensor:
    return values.expand(3, *values.shape).contiguous()


def _colours(picture: np.ndarray) -> Tensor:
    """[H, W, 3] uint8 to [3, H, W] float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float().div(255).contiguous()
