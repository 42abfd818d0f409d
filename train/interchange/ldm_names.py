"""The names that the authors' own code gives a ControlNet's weights, worked out from those that diffusers gives them.

Their class numbers its parts as they were appended to lists (cldm/cldm.py of lllyasviel/ControlNet, after latent
diffusion's openaimodel.py): input_blocks.0, 1, … are the input convolution, then of each level its layers and its
downsampling.
"""

import re
from collections.abc import Iterable
from itertools import starmap

HINT_ENCODER = "controlnet_cond_embedding"
HINT_LAYERS = 8  # convolutions of the released hint encoder; each but the last is followed by an activation
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
FIXED = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "mid_block.attentions.0": "middle_block.1",
    "controlnet_mid_block": "middle_block_out.0",
    f"{HINT_ENCODER}.conv_in": "input_hint_block.0",
    f"{HINT_ENCODER}.conv_out": f"input_hint_block.{2 * (HINT_LAYERS - 1)}",
}
LAYER = re.compile(r"down_blocks\.(\d+)\.resnets\.(\d+)\.")


def ldm_names(names: Iterable[str]) -> dict[str, str]:
    """Map every name of a `ControlNetModel`'s state to the one in the original layout, without a prefix.

    Any number of levels and of layers in each will do, with or without attention.

    Raises:
        ValueError: the original layout has no place for some of them; names the first.
    """
    names = list(names)
    layers = 1 + max((int(found[2]) for name in names if (found := LAYER.match(name))), default=0)
    mapped = {name: _ldm_name(name, layers) for name in names}
    homeless = [name for name, found in mapped.items() if not found]
    blocks = {name.split(".")[2] for name in names if name.startswith(f"{HINT_ENCODER}.blocks.")}
    if homeless or len(blocks) != HINT_LAYERS - 2:
        what = homeless[0] if homeless else f"a hint encoder of {len(blocks) + 2} convolutions, not {HINT_LAYERS}"
        raise ValueError(
            f"the original single-file layout has no place for {what}: it holds ControlNets of Stable Diffusion 1 and "
            "2 with the released hint encoder. Keep to diffusers' layout, which ComfyUI reads too"
        )
    return mapped


def _ldm_name(name: str, layers: int) -> str:
    """One name, or "" if there is none; `layers` in each level."""
    if found := re.fullmatch(r"down_blocks\.(\d+)\.(resnets|attentions|downsamplers)\.(\d+)\.(.+)", name):
        level, part, layer, rest = int(found[1]), found[2], int(found[3]), found[4]
        place = f"input_blocks.{1 + level * (layers + 1) + (layers if part == 'downsamplers' else layer)}"
        inner = {"resnets": f"0.{_in_resnet(rest)}", "attentions": f"1.{rest}"}
        return f"{place}.{inner.get(part, rest.replace('conv.', '0.op.', 1))}"
    if found := re.fullmatch(r"mid_block\.resnets\.([01])\.(.+)", name):
        return f"middle_block.{2 * int(found[1])}.{_in_resnet(found[2])}"
    if found := re.fullmatch(r"controlnet_down_blocks\.(\d+)\.(\w+)", name):
        return f"zero_convs.{found[1]}.0.{found[2]}"
    if found := re.fullmatch(rf"{HINT_ENCODER}\.blocks\.(\d+)\.(\w+)", name):
        return f"input_hint_block.{2 * (int(found[1]) + 1)}.{found[2]}"
    begun = [(old, new) for old, new in FIXED.items() if name.startswith(f"{old}.")]
    return next(starmap(lambda old, new: new + name[len(old) :], begun), "")


def _in_resnet(rest: str) -> str:
    part, _, kind = rest.rpartition(".")
    return f"{RESNET.get(part, part)}.{kind}"
