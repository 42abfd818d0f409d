"""Train the tiny base's VAE on pictures, with a loss that cares for edges."""

import logging
import time

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from train.tiny_base.architecture import autoencoder
from train.tiny_base.schedule import pace, take

log = logging.getLogger(__name__)
KL_WEIGHT = 1e-6  # as Stable Diffusion's first stage: barely a prior, only a bound on the latents
EDGE_WEIGHT = 2.0  # at the end; early, the flattest picture would have the fewest wrong edges
LOG_VARIANCE = -6.0  # of the posterior at first: with unit variance the latents would be drowned in noise
BATCH = 8
PEAK_RATE = 8e-4


def fit_autoencoder(
    images: Tensor,
    *,
    seconds: float,
    seed: int,
    device: torch.device,
    start: AutoencoderKL | None = None,
) -> AutoencoderKL:
    """Train for `seconds`, with a learning rate that falls to zero at the end.

    Args:
        images: [N, 3, 128, 128] uint8 RGB.
        start: A VAE to go on training, with the full weight on edges from the first step; None begins anew.

    Returns:
        The VAE in eval mode; its `scaling_factor` gives latents of unit variance over the first 512 pictures.
    """
    torch.manual_seed(seed)
    model = (start or initialised(autoencoder())).to(device).train().requires_grad_(True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=1e-4)
    generator = torch.Generator().manual_seed(seed)
    begin, step, share, smooth = time.monotonic(), 0, 0.0, 1.0
    while share < 1.0:
        share = (time.monotonic() - begin) / seconds
        optimizer.param_groups[0]["lr"] = PEAK_RATE * pace(share, step)
        pixels = take(images, BATCH, generator).to(device).float() / 127.5 - 1
        loss = _loss(model, pixels, edge_weight=EDGE_WEIGHT * (1.0 if start else share))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smooth = 0.98 * smooth + 0.02 * loss.item()
        if step % 100 == 0:
            log.info("autoencoder step %d (%.0f %% of the time): loss %.4f", step, 100 * share, smooth)
        step += 1
    model.eval().requires_grad_(False)
    model.register_to_config(scaling_factor=1 / latent_deviation(model, images[:512], device))
    return model


def _loss(model: AutoencoderKL, pixels: Tensor, *, edge_weight: float) -> Tensor:
    """Of pictures [B, 3, 128, 128] float32 in [-1, 1], through the autoencoder and back: []."""
    with torch.autocast(pixels.device.type, torch.bfloat16):
        posterior = model.encode(pixels).latent_dist
        drawn = model.decode(posterior.sample()).sample
    loss = reconstruction_loss(drawn.float(), pixels, edge_weight=edge_weight)
    return torch.as_tensor(loss + KL_WEIGHT * posterior.kl().float().mean())


def initialised(model: AutoencoderKL) -> AutoencoderKL:
    """Draw the first weights with variance 1/fan-in (LeCun et al. 1998).

    PyTorch's own are a third of that, and 300 steps from them leave four times the squared error.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    torch.nn.init.constant_(model.quant_conv.bias[model.config.latent_channels :], LOG_VARIANCE)
    return model


def reconstruction_loss(drawn: Tensor, pixels: Tensor, *, edge_weight: float) -> Tensor:
    """Mean absolute error of pixels and of their differences to the right and below; [B, 3, H, W] in [-1, 1] both."""
    loss = functional.l1_loss(drawn, pixels) + functional.mse_loss(drawn, pixels)
    for axis in (-1, -2):
        loss = loss + edge_weight * functional.l1_loss(drawn.diff(dim=axis), pixels.diff(dim=axis))
    return loss


@torch.no_grad()
def latent_deviation(model: AutoencoderKL, images: Tensor, device: torch.device) -> float:
    """Standard deviation of the latents of [N, 3, 128, 128] uint8 pictures, over everything."""
    means = [model.encode(chunk.to(device).float() / 127.5 - 1).latent_dist.sample() for chunk in images.split(64)]
    return float(torch.cat(means).std())
