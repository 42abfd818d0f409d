"""The round trip of a real picture through the autoencoder: the best that a base can draw."""

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray

from train.autoencoder import autoencoder_batches


@torch.no_grad()
def round_trip(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode real pictures and decode them again, without noise: the reachable ceiling.

    Args:
        vae: the base's autoencoder, on any device.
        pictures: [B, H, W, 3] uint8 RGB.

    Returns:
        [B, H, W, 3] uint8 RGB.
    """
    batches = autoencoder_batches(len(pictures), side=pictures.shape[1])
    return np.concatenate([_round_trip(vae, pictures[batch]) for batch in batches])


def _round_trip(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(vae.device, vae.dtype) / 127.5 - 1
    decoded = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
    scaled = ((decoded.float() / 2 + 0.5).clamp(0, 1) * 255).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
