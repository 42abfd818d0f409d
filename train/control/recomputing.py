"""Activations that are computed again in the backward pass: slower, with less memory."""

from typing import Any

import torch
from torch.utils.checkpoint import checkpoint


def recompute_blocks(module: torch.nn.Module, *, on: bool) -> None:
    """Switch every block of diffusers within `module`, each of which keeps its input alone where this is on.

    It costs another forward pass of each block; a block that runs without gradients is not touched by it.
    """
    for block in module.modules():
        if hasattr(block, "gradient_checkpointing"):
            setattr(block, "gradient_checkpointing", on)  # noqa: B010 (no attributes that torch's modules declare)
            setattr(block, "_gradient_checkpointing_func", _again)  # noqa: B010


def _again(block: Any, *inputs: Any) -> Any:
    # Not reentrant: the reentrant way gives no gradients where no input asks for one. Nothing in a block is random.
    return checkpoint(block, *inputs, use_reentrant=False, preserve_rng_state=False)
