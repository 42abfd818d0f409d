"""The locked copy: a Stable Diffusion pipeline, 1.x, 2.x or XL, that training reads and never changes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from train.autoencoder import autoencoder_batches
from train.pipeline_folder import PARTS, XL_PARTS, check_folder, check_networks, empties_to_zeros, is_xl
from train.text import Text, square_sizes


@dataclass(frozen=True)
class Base:
    """The parts of the locked copy, without gradients and in evaluation mode."""

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: DDPMScheduler  # the noise schedule the base was trained with
    text_encoder_2: CLIPTextModelWithProjection | None = None  # Stable Diffusion XL's alone
    tokenizer_2: CLIPTokenizer | None = None  # likewise
    zeros_for_empty: bool = False  # pictures are drawn with zeros, not the encoding of "", where nothing is said

    @property
    def tokenizers(self) -> tuple[CLIPTokenizer, ...]:
        """One; of Stable Diffusion XL two."""
        return (self.tokenizer,) if self.tokenizer_2 is None else (self.tokenizer, self.tokenizer_2)

    @property
    def text_encoders(self) -> tuple[CLIPTextModel | CLIPTextModelWithProjection, ...]:
        """One; of Stable Diffusion XL two."""
        return (self.text_encoder,) if self.text_encoder_2 is None else (self.text_encoder, self.text_encoder_2)

    @property
    def stride(self) -> int:
        """Pixels per latent cell along a side (8 for Stable Diffusion 1.5)."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    def latent_shape(self, resolution: int) -> tuple[int, int, int]:
        """Give the shape [channels, h, w] of the latents of a square picture of `resolution` pixels."""
        if resolution % self.stride:
            raise ValueError(
                f"resolution: {resolution} is not a multiple of the base's stride {self.stride}. "
                f"Take {max(self.stride, resolution - resolution % self.stride)}"
            )
        cells = resolution // self.stride
        return int(self.vae.config.latent_channels), cells, cells


def load_base(name_or_path: str) -> Base:
    """Load a pipeline in diffusers layout and lock it.

    Args:
        name_or_path: a folder, or a name on the Hugging Face Hub.

    Returns:
        Its parts as float32 on the CPU; no parameter asks for a gradient.
    """
    check_folder(name_or_path, PARTS)
    try:
        vae = AutoencoderKL.from_pretrained(name_or_path, subfolder="vae")
        unet = UNet2DConditionModel.from_pretrained(name_or_path, subfolder="unet")
        check_networks(name_or_path, unet, vae)
        base = _load_xl(name_or_path, unet, vae) if is_xl(unet) else _load(name_or_path, unet, vae)
    except OSError as error:
        raise ValueError(
            f"base: no pipeline can be read from '{name_or_path}': {_first_line(error)}. Give a folder that holds "
            f"{', '.join(PARTS)} in diffusers layout, or a name on the Hub that this machine may download"
        ) from error
    lock(base)
    return base


def lock(base: Base) -> None:
    """Take every gradient from `base` and put it in evaluation mode."""
    for part in (base.vae, base.unet, *base.text_encoders):
        part.requires_grad_(False)
        part.eval()


def place(base: Base, *, device: torch.device, dtype: torch.dtype) -> None:
    """Move the locked copy to `device`, its weights rounded to `dtype` (it is never trained, so nothing is lost).

    Stable Diffusion XL's autoencoder overflows in float16 and stays float32 there, unless its config says that it need
    not (force_upcast), as in diffusers' pipelines. That of 1.x and 2.x, whose configs do not say, does not overflow.
    """
    overflows = dtype == torch.float16 and is_xl(base.unet) and bool(base.vae.config.force_upcast)
    for part in (base.vae, base.unet, *base.text_encoders):
        # Not part.to(...): diffusers' own warns of modules that must stay float32, and here there are none.
        kept = torch.float32 if overflows and part is base.vae else dtype
        torch.nn.Module.to(part, device=device, dtype=kept)


def tokenize(tokenizers: Sequence[CLIPTokenizer], caption: str) -> Tensor:
    """Turn a caption into token numbers, cut or padded to the length the text encoders were made for.

    Args:
        tokenizers: a base's; not the base itself, for the processes that load data need no networks.

    Returns:
        [T] int64 of one tokenizer; [2, T] of Stable Diffusion XL's two.
    """
    tokens = [_tokenize(tokenizer, caption) for tokenizer in tokenizers]
    return tokens[0] if len(tokens) == 1 else torch.stack(tokens)


@torch.no_grad()
def encode_images(base: Base, pixels: Tensor, noise: Tensor) -> Tensor:
    """Sample latents from the autoencoder's posterior.

    Args:
        pixels: [B, 3, H, W] float32 in [-1, 1].
        noise: [B, C, h, w] float32 standard normal; it decides the sample.

    Returns:
        [B, C, h, w] float32, scaled by the base's scaling factor.
    """
    with _as_placed(base):
        posterior = base.vae.encode(pixels.to(base.vae.dtype)).latent_dist
    return sample_latents(base, torch.stack([posterior.mean, posterior.std], dim=1), noise)


def sample_latents(base: Base, moments: Tensor, noise: Tensor) -> Tensor:
    """Sample latents from posteriors that were computed beforehand, as `encode_images` does from pictures.

    Args:
        moments: [B, 2, C, h, w] floating: mean and standard deviation, not scaled.
        noise: [B, C, h, w] float32 standard normal; it decides the sample.

    Returns:
        [B, C, h, w] float32, scaled by the base's scaling factor.
    """
    mean, deviation = moments.float().unbind(1)
    return (mean + deviation * noise) * float(base.vae.config.scaling_factor)


@torch.no_grad()
def decode_latents(base: Base, latents: Tensor) -> NDArray[np.uint8]:
    """Turn latents into pictures.

    Args:
        latents: [B, C, h, w] floating, scaled.

    Returns:
        [B, H, W, 3] uint8 RGB.
    """
    batches = autoencoder_batches(len(latents), side=latents.shape[-1] * base.stride)
    return np.concatenate([_decode(base, latents[batch]) for batch in batches])


def _decode(base: Base, latents: Tensor) -> NDArray[np.uint8]:
    unscaled = latents / float(base.vae.config.scaling_factor)
    with _as_placed(base):
        pixels = base.vae.decode(unscaled.to(base.vae.dtype)).sample / 2 + 0.5
    shown = pixels.clamp(0, 1).permute(0, 2, 3, 1).float().cpu().numpy()
    return np.asarray((shown * 255).round(), dtype=np.uint8)


@torch.no_grad()
def encode_tokens(base: Base, tokens: Tensor, *, resolution: int) -> Text:
    """Encode captions.

    Stable Diffusion XL is told the sizes of pictures too (section 2.2 of Podell et al. 2023): here always those of a
    whole square of `resolution`, as its pipelines do by default. The truth (size of the source, place of the crop)
    would train the control where nobody draws with it, and the locked copy learns nothing from it.

    Args:
        tokens: [B, T] int64, or [B, 2, T] of two tokenizers.
        resolution: side of the pictures in pixels.

    Returns:
        In the base's dtype: the last hidden states of the text encoder; of Stable Diffusion XL the penultimate ones
        of both, side by side, and the second one's projection of the whole caption.
    """
    if base.text_encoder_2 is None:
        return Text(torch.as_tensor(base.text_encoder(tokens)[0]))
    first, second = tokens.unbind(dim=1)
    one = base.text_encoder(first, output_hidden_states=True)
    two = base.text_encoder_2(second, output_hidden_states=True)
    states = torch.cat([one.hidden_states[-2], two.hidden_states[-2]], dim=-1)
    return Text(states, two.text_embeds, square_sizes(len(tokens), resolution, device=tokens.device))


def _load(name_or_path: str, unet: UNet2DConditionModel, vae: AutoencoderKL) -> Base:
    """Add what every pipeline has to its networks."""
    return Base(
        vae=vae,
        unet=unet,
        text_encoder=CLIPTextModel.from_pretrained(name_or_path, subfolder="text_encoder", dtype=torch.float32),
        tokenizer=CLIPTokenizer.from_pretrained(name_or_path, subfolder="tokenizer"),
        scheduler=DDPMScheduler.from_pretrained(name_or_path, subfolder="scheduler"),
    )


def _load_xl(name_or_path: str, unet: UNet2DConditionModel, vae: AutoencoderKL) -> Base:
    """Add what a pipeline of Stable Diffusion XL has besides."""
    check_folder(name_or_path, XL_PARTS)
    return replace(
        _load(name_or_path, unet, vae),
        text_encoder_2=CLIPTextModelWithProjection.from_pretrained(
            name_or_path, subfolder="text_encoder_2", dtype=torch.float32
        ),
        tokenizer_2=CLIPTokenizer.from_pretrained(name_or_path, subfolder="tokenizer_2"),
        zeros_for_empty=empties_to_zeros(name_or_path),
    )


def _tokenize(tokenizer: CLIPTokenizer, caption: str) -> Tensor:
    tokens = tokenizer(
        caption,
        max_length=tokenizer.model_max_length,
        padding="max_length",
        truncation=True,
        return_tensors="pt",
    )
    return torch.as_tensor(tokens.input_ids[0], dtype=torch.int64)


def _as_placed(base: Base) -> AbstractContextManager[None]:
    """No autocast for an autoencoder that stays float32, whatever lies around it: it would overflow all the same."""
    if base.vae.dtype == torch.float32:
        return torch.autocast(base.vae.device.type, enabled=False)
    return nullcontext()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
