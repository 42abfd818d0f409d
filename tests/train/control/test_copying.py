from pathlib import Path

import torch
from diffusers import ControlNetModel
from torch import Tensor

from manifests.control import ControlSettings
from tests.toy_sd2 import write_toy_sd2
from train.base import Base, encode_tokens, load_base, tokenize
from train.control.copying import trainable_copy
from train.control.registry import build_control
from train.text import Text


def inputs(base: Base) -> tuple[Tensor, Tensor, Text, Tensor, Tensor]:
    """Two samples: noisy latents, timesteps, text, hints [2, 1, 3, 32, 32] and which of these there are."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.stack([tokenize(base.tokenizers, caption) for caption in ("red ball", "blue box")])
    noisy = torch.randn((2, *base.latent_shape(32)), generator=generator)
    hints = torch.rand((2, 1, 3, 32, 32), generator=generator)
    return noisy, torch.tensor([10, 700]), encode_tokens(base, tokens, resolution=32), hints, torch.ones(2, 1)


def test_an_untrained_controlnet_leaves_an_xl_base_unchanged(xl_base: Base) -> None:
    noisy, timesteps, text, hints, present = inputs(xl_base)
    control = build_control(xl_base.unet, ControlSettings(), seed=0)
    with torch.no_grad():
        alone = xl_base.unet(noisy, timesteps, **text.of(torch.float32)).sample
        together = control(noisy, timesteps, text, hints, present)
    assert torch.equal(together, alone)


def test_the_copy_of_an_xl_base_takes_over_its_embedding_of_pooled_text_and_sizes(xl_base: Base) -> None:
    theirs = xl_base.unet.add_embedding.state_dict()
    ours = trainable_copy(xl_base.unet, ControlSettings(), seed=0).add_embedding.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_gradients_of_an_xl_copy_wake_up_from_the_zero_convolutions_inwards(xl_base: Base) -> None:
    # The zero convolutions first, then the copy and the hint encoder's last layer, then the rest of the hint encoder.
    control = build_control(xl_base.unet, ControlSettings(), seed=0)
    optimizer = torch.optim.AdamW(control.parameters(), lr=1e-3)
    awake = []
    for _step in range(3):
        control(*inputs(xl_base)).square().mean().backward()
        awake.append({part for part, parameters in _parts(control.net).items() if _any_gradient(parameters)})
        optimizer.step()
        optimizer.zero_grad()
    copied = {"zero convolutions", "copy", "embedding of text and sizes", "end of the hint encoder"}
    assert awake == [{"zero convolutions"}, copied, {*copied, "hint encoder"}]


def test_the_copy_of_a_base_of_2_x_has_the_heads_and_projections_of_its_u_net(tmp_path: Path) -> None:
    write_toy_sd2(tmp_path / "sd2")
    unet = load_base(str(tmp_path / "sd2")).unet
    copied = trainable_copy(unet, ControlSettings(), seed=0)
    ours, theirs = (net.down_blocks[0].attentions[0] for net in (copied, unet))
    assert isinstance(ours.proj_in, torch.nn.Linear)
    for one, other in zip(ours.transformer_blocks, theirs.transformer_blocks, strict=True):
        assert (one.attn1.heads, one.attn1.upcast_attention) == (other.attn1.heads, other.attn1.upcast_attention)


def _parts(copied: ControlNetModel) -> dict[str, list[torch.nn.Parameter]]:
    hint_encoder = copied.controlnet_cond_embedding
    parts = (copied.conv_in, copied.time_embedding, copied.down_blocks, copied.mid_block)
    return {
        "zero convolutions": [*copied.controlnet_down_blocks.parameters(), *copied.controlnet_mid_block.parameters()],
        "copy": [parameter for part in parts for parameter in part.parameters()],
        "embedding of text and sizes": list(copied.add_embedding.parameters()),
        "end of the hint encoder": list(hint_encoder.conv_out.parameters()),
        "hint encoder": [*hint_encoder.conv_in.parameters(), *hint_encoder.blocks.parameters()],
    }


def _any_gradient(parameters: list[torch.nn.Parameter]) -> bool:
    return any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in parameters)
