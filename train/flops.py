"""What a training step costs for each sample, counted on networks without weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from manifests.control import ControlSettings
from manifests.manifest import Manifest
from train.base import Base
from train.control.control import Control, trained
from train.control.registry import build_control
from train.text import Text

META = torch.device("meta")  # shapes alone: a Stable Diffusion 1.5 takes no memory and seconds


@dataclass(frozen=True)
class Cost:
    """Of one sample; FLOPs are multiplications and additions of matrix products, convolutions and attention."""

    parameters: int  # trained
    control_forward: int  # FLOPs of the control's own networks; of concat they are all there is
    encoder_forward: int  # of the U-Net up to its middle block, embeddings included
    decoder_forward: int  # of the rest
    backward: int  # through all that gradients pass

    @property
    def step(self) -> int:
        """FLOPs of a step, with latents and captions already encoded."""
        return self.control_forward + self.encoder_forward + self.decoder_forward + self.backward


def count(
    unet: UNet2DConditionModel, settings: ControlSettings, *, cells: int, tokens: int = 77, conditions: int = 1
) -> Cost:
    """Count a step of a kind of control on a base.

    Args:
        unet: whose sizes count; it is neither run nor changed.
        cells: side of the latents (64 for 512 pixels); hints have 8 pixels for each.
        tokens: of a caption.
        conditions: how many hints a sample has.
    """
    with META:
        locked = UNet2DConditionModel.from_config(unet.config).requires_grad_(False)
        plain = settings.model_copy(update={"initial": ""})  # the weights themselves cost nothing
        control = build_control(locked, plain, seed=0, conditions=conditions)
        given = _sample(locked, cells=cells, tokens=tokens, conditions=conditions)
    forward = FlopCounterMode(display=False)
    with forward:
        answer = control(*given)
    backward = FlopCounterMode(display=False)
    with backward:
        answer.sum().backward()
    encoder, decoder = _unet_flops(control, forward)
    return Cost(
        parameters=sum(parameter.numel() for parameter in trained(control)),
        control_forward=forward.get_total_flops() - encoder - decoder,
        encoder_forward=encoder,
        decoder_forward=decoder,
        backward=backward.get_total_flops(),
    )


def flops_of_sample(manifest: Manifest, base: Base, control: ControlSettings) -> int:
    """FLOPs of one sample's step in a training, its picture and caption included where they are encoded meanwhile.

    Args:
        manifest: of the training.
        base: whose sizes count.
        control: what learns in that step; a stage has its own.
    """
    cells, tokens = base.latent_shape(manifest.resolution)[1], base.tokenizer.model_max_length
    conditions = len(manifest.conditions)
    step = count(base.unet, control, cells=cells, tokens=tokens, conditions=conditions).step
    captions = sum(captioning(encoder, tokens=tokens) for encoder in base.text_encoders)
    read = manifest.latents and manifest.engine.encode == "cached"
    return step + captions + (0 if read else encoding(base.vae, resolution=manifest.resolution))


def encoding(vae: AutoencoderKL, *, resolution: int) -> int:
    """FLOPs of encoding one square picture of `resolution` pixels; none where latents are cached."""
    with META:
        there = AutoencoderKL.from_config(vae.config)
        pixels = torch.empty(1, 3, resolution, resolution)
    return _forward(lambda: there.encode(pixels))


def captioning(text_encoder: Any, *, tokens: int = 77) -> int:
    """FLOPs of encoding one caption of `tokens` tokens with a text encoder of transformers."""
    with META:
        there = type(text_encoder)(text_encoder.config)
        words = torch.zeros(1, tokens, dtype=torch.int64)
    return _forward(lambda: there(words))


@torch.no_grad()
def _forward(run: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def _unet_flops(control: Control, counted: FlopCounterMode) -> tuple[int, int]:
    """FLOPs of a forward pass that fell to the U-Net before and behind its middle block."""
    by_module, name = counted.get_flop_counts(), type(control.unet).__name__

    def of(module: str) -> int:
        return sum(by_module.get(module, {}).values())

    blocks = [f"{name}.up_blocks.{number}" for number in range(len(control.unet.up_blocks))]
    decoder = sum(map(of, [*blocks, f"{name}.conv_norm_out", f"{name}.conv_out"]))
    return of(name) - decoder, decoder


def _sample(
    unet: UNet2DConditionModel, *, cells: int, tokens: int, conditions: int
) -> tuple[Tensor, Tensor, Text, Tensor, Tensor]:
    """What a control reads of one sample, on the meta device."""
    noisy = torch.empty(1, unet.config.in_channels, cells, cells)
    pooled = sizes = None
    if unet.config.addition_embed_type == "text_time":  # Stable Diffusion XL
        numbers = 6 * unet.config.addition_time_embed_dim
        pooled, sizes = torch.empty(1, unet.config.projection_class_embeddings_input_dim - numbers), torch.empty(1, 6)
    text = Text(torch.empty(1, tokens, unet.config.cross_attention_dim), pooled, sizes)
    hints = torch.empty(1, conditions, 3, 8 * cells, 8 * cells)
    return noisy, torch.zeros(1, dtype=torch.int64), text, hints, torch.empty(1, conditions)
