"""A hint is the drawing of a condition, as the network reads it."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Drawing = Callable[[np.ndarray], Tensor]


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


HINTS: dict[str, Drawing] = {"binary": draw_binary, "soft": draw_soft}


def hint(kind: str, condition: np.ndarray) -> Tensor:
    """Draw a condition of any kind that has a drawing.

    Args:
        kind: how the family stores its condition, e.g. "binary".
        condition: the stored array, [H, W].

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    return drawing(kind)(condition)


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
