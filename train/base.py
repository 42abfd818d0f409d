"""The locked copy: a released Stable Diffusion pipeline that training reads and never changes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from train.text import Text

PARTS = ("vae", "unet", "text_encoder", "tokenizer", "scheduler")


@dataclass(frozen=True)
class Base:
    """The parts of the locked copy, without gradients and in evaluation mode."""

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: DDPMScheduler  # the noise schedule the base was trained with

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
    _check_folder(name_or_path)
    try:
        base = Base(
            vae=AutoencoderKL.from_pretrained(name_or_path, subfolder="vae"),
            unet=UNet2DConditionModel.from_pretrained(name_or_path, subfolder="unet"),
            text_encoder=CLIPTextModel.from_pretrained(name_or_path, subfolder="text_encoder", dtype=torch.float32),
            tokenizer=CLIPTokenizer.from_pretrained(name_or_path, subfolder="tokenizer"),
            scheduler=DDPMScheduler.from_pretrained(name_or_path, subfolder="scheduler"),
        )
    except OSError as error:
        raise ValueError(
            f"base: no pipeline can be read from '{name_or_path}': {_first_line(error)}. Give a folder that holds "
            f"{', '.join(PARTS)} in diffusers layout, or a name on the Hub that this machine may download"
        ) from error
    lock(base)
    return base


def lock(base: Base) -> None:
    """Take every gradient from `base` and put it in evaluation mode."""
    for part in (base.vae, base.unet, base.text_encoder):
        part.requires_grad_(False)
        part.eval()


def place(base: Base, *, device: torch.device, dtype: torch.dtype) -> None:
    """Move the locked copy to `device`, its weights rounded to `dtype` (it is never trained, so nothing is lost)."""
    for part in (base.vae, base.unet, base.text_encoder):
        # Not part.to(...): diffusers' own warns of modules that must stay float32, and here there are none.
        torch.nn.Module.to(part, device=device, dtype=dtype)


def tokenize(tokenizer: CLIPTokenizer, caption: str) -> Tensor:
    """Turn a caption into token numbers, cut or padded to the length the text encoder was made for.

    Returns:
        [T] int64.
    """
    tokens = tokenizer(
        caption,
        max_length=tokenizer.model_max_length,
        padding="max_length",
        truncation=True,
        return_tensors="pt",
    )
    return torch.as_tensor(tokens.input_ids[0], dtype=torch.int64)


@torch.no_grad()
def encode_images(base: Base, pixels: Tensor, noise: Tensor) -> Tensor:
    """Sample latents from the autoencoder's posterior.

    Args:
        pixels: [B, 3, H, W] float32 in [-1, 1].
        noise: [B, C, h, w] float32 standard normal; it decides the sample.

    Returns:
        [B, C, h, w] float32, scaled by the base's scaling factor.
    """
    posterior = base.vae.encode(pixels.to(base.vae.dtype)).latent_dist
    sample = posterior.mean.float() + posterior.std.float() * noise
    return sample * float(base.vae.config.scaling_factor)


def sample_latents(base: Base, moments: Tensor, noise: Tensor) -> Tensor:
    """Sample latents from posteriors that were computed beforehand, as `encode_images` does from pictures.

    Args:
        moments: [B, 2, C, h, w] float16: mean and standard deviation, not scaled.
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
    unscaled = latents / float(base.vae.config.scaling_factor)
    pixels = base.vae.decode(unscaled.to(base.vae.dtype)).sample / 2 + 0.5
    shown = pixels.clamp(0, 1).permute(0, 2, 3, 1).float().cpu().numpy()
    return np.asarray((shown * 255).round(), dtype=np.uint8)


@torch.no_grad()
def encode_tokens(base: Base, tokens: Tensor) -> Text:
    """Encode captions.

    Args:
        tokens: [B, T] int64.

    Returns:
        The text encoder's last hidden states, in the base's dtype.
    """
    return Text(torch.as_tensor(base.text_encoder(tokens)[0]))


def _check_folder(name_or_path: str) -> None:
    folder = Path(name_or_path)
    if folder.is_dir():
        missing = [part for part in PARTS if not (folder / part).is_dir()]
        if missing:
            raise ValueError(
                f"base: {folder} lacks {', '.join(missing)}. Give a folder that holds a pipeline in diffusers layout"
            )
    elif folder.is_absolute() or name_or_path.startswith("."):
        raise ValueError(
            f"base: there is no folder {folder}. Give one that holds a pipeline in diffusers layout, or a Hub name"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
