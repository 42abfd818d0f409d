"""SDEdit (Meng et al. 2022): the base redraws a hint that was noised, without a control; what a control must beat."""

from collections.abc import Sequence

import torch
from torch import Tensor

from train.base import Base, encode_images
from train.sampler import Pictures, Sampling, denoise, finished, guided, scheduler_of


@torch.no_grad()
def edit(base: Base, captions: Sequence[str], drawn: Tensor, *, noise: Tensor, sampling: Sampling) -> Pictures:
    """Noise hints to `sampling.strength` and denoise them with their captions, as diffusers' img2img pipelines do.

    They draw a sample of the autoencoder's posterior; here it is its mean, so that `noise` alone decides, as in `draw`.

    Args:
        captions: B texts.
        drawn: [B, 3, H, W] float32 in [0, 1], the hints, on any device.
        noise: [B, C, h, w] float32 standard normal.

    Returns:
        [B, H, W, 3] uint8 RGB.

    Raises:
        ValueError: A network gave what is no number.
    """
    device, dtype, scheduler = base.unet.device, base.unet.dtype, scheduler_of(base, sampling)
    first = sampling.steps - int(sampling.steps * sampling.strength)  # those before are of more noise than is there
    if hasattr(scheduler, "set_begin_index"):  # of those that count their steps
        scheduler.set_begin_index(first)
    mean = encode_images(base, drawn.to(device) * 2 - 1, torch.zeros_like(noise, device=device)).to(dtype)
    start = scheduler.timesteps[first : first + 1].expand(len(mean))
    noisy = scheduler.add_noise(mean, noise.to(device, dtype), start)
    return finished(base, denoise(scheduler, noisy, guided(base, None, captions, None, sampling=sampling), first=first))
