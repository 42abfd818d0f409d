"""The shape of a ControlNet in the original layout, read from its weights alone: files of others say nothing else."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

WIDTH = 320  # channels of the first level of every Stable Diffusion
HEADS = 8  # of every attention of Stable Diffusion 1; Stable Diffusion 2, whose projections are linear, has others:
HEAD_CHANNELS = 64


def config_of(weights: Mapping[str, Tensor], source: str) -> dict[str, Any]:
    """Settings for diffusers' `ControlNetModel`.

    What no weight shows (heads, groups of the normalisation) is as in the released Stable Diffusion 1 and 2, so that
    only networks of their width can be read so.

    Args:
        weights: by the names of the original layout, without a prefix.
        source: their file, for messages.

    Raises:
        ValueError: no such structure, or one of another width.
    """
    layers, levels = _layers_and_levels(weights, source)
    firsts = [f"input_blocks.{1 + level * (layers + 1)}" for level in range(levels)]
    widths = [_shape(weights, f"{first}.0.out_layers.3.weight", source)[0] for first in firsts]
    if widths[0] != WIDTH:
        raise ValueError(
            f"{source}: its first level is {widths[0]} channels wide, that of Stable Diffusion {WIDTH}, and its header "
            "does not say how many heads it has. Give the folder in diffusers' layout"
        )
    keys = [name for name in weights if name.endswith("attn2.to_k.weight")]
    if not keys:
        raise ValueError(f"{source}: no cross-attention in it, which every ControlNet of Stable Diffusion has")
    linear = weights[keys[0].split("transformer_blocks")[0] + "proj_in.weight"].dim() == 2
    attended = [f"{first}.1.proj_in.weight" in weights for first in firsts]
    hint_layers = ("input_hint_block.0", "input_hint_block.4", "input_hint_block.8", "input_hint_block.12")
    return {
        "in_channels": _shape(weights, "input_blocks.0.0.weight", source)[1],
        "conditioning_channels": _shape(weights, "input_hint_block.0.weight", source)[1],
        "conditioning_embedding_out_channels": [_shape(weights, f"{at}.weight", source)[0] for at in hint_layers],
        "block_out_channels": widths,
        "down_block_types": ["CrossAttnDownBlock2D" if of else "DownBlock2D" for of in attended],
        "layers_per_block": layers,
        "cross_attention_dim": weights[keys[0]].shape[1],
        "use_linear_projection": linear,
        "attention_head_dim": [width // HEAD_CHANNELS for width in widths] if linear else HEADS,
    }


def _layers_and_levels(weights: Mapping[str, Tensor], source: str) -> tuple[int, int]:
    """Layers of each level, and levels; a level ends with a downsampling, the last with its last layer."""
    blocks = {int(found[1]) for name in weights if (found := re.match(r"input_blocks\.(\d+)\.", name))}
    ends = sorted(block for block in blocks if f"input_blocks.{block}.0.op.weight" in weights)
    last = max(blocks, default=0)
    layers, levels = (ends[0] - 1 if ends else last), len(ends) + 1
    evenly = ends == [level * (layers + 1) for level in range(1, levels)]
    if not evenly or blocks != {*range(last + 1)} or not layers or last != levels * (layers + 1) - 1:
        raise ValueError(
            f"{source}: {len(blocks)} input blocks, downsampling after {ends or 'none'}: not the encoder of a Stable "
            "Diffusion, whose levels have equally many layers"
        )
    return layers, levels


def _shape(weights: Mapping[str, Tensor], name: str, source: str) -> tuple[int, ...]:
    if name not in weights:
        raise ValueError(f"{source}: it lacks {name}, which every ControlNet in the original layout has")
    return tuple(weights[name].shape)
