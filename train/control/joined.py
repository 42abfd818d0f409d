"""Hints of several conditions as one picture of many channels."""

import torch
from torch import Tensor


def channels(conditions: int) -> int:
    """Channels of the joined hints: three each; beside several conditions, one more each that says who is there."""
    return 3 if conditions == 1 else 4 * conditions


def join_hints(hints: Tensor, present: Tensor) -> Tensor:
    """Lay the hints of each sample on top of each other.

    A missing hint is black, which alone would not tell it from an empty condition.

    Args:
        hints: [B, K, 3, H, W] float32 in [0, 1].
        present: [B, K] float32 in {0, 1}.

    Returns:
        [B, C, H, W] float32 in [0, 1]: the one hint as it is, or 3K channels of hints and K of ones or zeros.
    """
    if hints.shape[1] == 1:
        return hints[:, 0]
    there = present[:, :, None, None, None].expand(-1, -1, 1, *hints.shape[-2:])
    return torch.cat([(hints * there).flatten(1, 2), there.flatten(1, 2)], dim=1)


def any_present(present: Tensor) -> Tensor:
    """Whether a sample has any condition: [B, 1, 1, 1] in {0, 1}, of [B, K] in {0, 1}."""
    return present.amax(dim=1)[:, None, None, None]
