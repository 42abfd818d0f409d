"""Anchors: what a score is held against, from no control at all to the real picture."""

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray

CONTROLLED, SWAPPED, FLOOR, CEILING, ORACLE = "controlled", "swapped", "floor", "ceiling", "oracle"

ARMS: dict[str, str] = {
    FLOOR: "same captions and seeds, control off",
    SWAPPED: "the controlled pictures, scored against another sample's condition",
    CONTROLLED: "drawn with the condition, scored against it",
    CEILING: "the real picture through the autoencoder: the best this base can draw",
    ORACLE: "the real picture itself",
}


@torch.no_grad()
def round_trip(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode real pictures and decode them again, without noise: the reachable ceiling.

    Args:
        vae: the base's autoencoder, on any device.
        pictures: [B, H, W, 3] uint8 RGB.

    Returns:
        [B, H, W, 3] uint8 RGB.
    """
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(vae.device, vae.dtype) / 127.5 - 1
    decoded = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
    scaled = ((decoded.float() / 2 + 0.5).clamp(0, 1) * 255).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def partner(place: int, *, samples: int) -> int:
    """Whose condition a sample is scored against in the swapped arm: the next one's, round in a circle."""
    return (place + 1) % samples
