"""Train the tiny base's U-Net and text encoder on the latents of captioned pictures."""

import logging
import time

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import CLIPTextModel, CLIPTokenizer

from train.tiny_base.architecture import TOKENS, denoiser, noise_schedule, text_encoder
from train.tiny_base.schedule import pace

log = logging.getLogger(__name__)
BATCH = 32
PEAK_RATE = 6e-4
PROMPT_DROP = 0.1  # share of captions emptied, which classifier-free guidance needs
AVERAGE_DECAY = 0.998


class Conditioned(torch.nn.Module):
    """U-Net and text encoder as one module, so that they are averaged together."""

    def __init__(self, unet: UNet2DConditionModel, text: CLIPTextModel) -> None:
        super().__init__()
        self.unet, self.text = unet, text

    def forward(self, noisy: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        """Predict the noise in [B, 4, 16, 16] at timesteps [B] int64 given token ids [B, 32] int64."""
        return self.unet(noisy, timesteps, encoder_hidden_states=self.text(tokens)[0]).sample


@torch.no_grad()
def encode_moments(vae: AutoencoderKL, images: Tensor, device: torch.device) -> Tensor:
    """Posterior mean and deviation of the scaled latents of [N, 3, 128, 128] uint8: [N, 2, 4, 16, 16] float32."""
    scale = vae.config.scaling_factor
    moments = []
    for chunk in images.split(64):
        with torch.autocast(device.type, torch.bfloat16):
            posterior = vae.encode(chunk.to(device).float() / 127.5 - 1).latent_dist
        moments.append(torch.stack([posterior.mean, posterior.std], dim=1).float().cpu() * scale)
    return torch.cat(moments)


def tokenize(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """Captions to token ids [N, 32] int64, padded with the end token."""
    padded = tokenizer(captions, padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt")
    return torch.as_tensor(padded.input_ids)


def fit_denoiser(
    moments: Tensor,
    captions: list[str],
    tokenizer: CLIPTokenizer,
    *,
    seconds: float,
    seed: int,
    start: Conditioned | None = None,
) -> Conditioned:
    """Train for `seconds` on the objective of Ho et al. 2020, Eq. 14; the average of the weights over time is returned.

    Args:
        moments: [N, 2, 4, 16, 16] float32 from `encode_moments`; its device is where the training runs.
        start: Networks to go on training; None begins anew.
    """
    torch.manual_seed(seed)
    device = moments.device
    model = (start or Conditioned(denoiser(), text_encoder(tokenizer))).to(device).train().requires_grad_(True)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=1e-3)
    generator, schedule = torch.Generator().manual_seed(seed), noise_schedule()
    tokens, empty = tokenize(tokenizer, captions), tokenize(tokenizer, [""])
    begin, step, share, smooth = time.monotonic(), 0, 0.0, 1.0
    while share < 1.0:
        share = (time.monotonic() - begin) / seconds
        optimizer.param_groups[0]["lr"] = PEAK_RATE * pace(share, step)
        loss = _loss(model, schedule, moments, tokens, empty, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        smooth = 0.99 * smooth + 0.01 * loss.item()
        if step % 100 == 0:
            log.info("denoiser step %d (%.0f %% of the time): loss %.4f", step, 100 * share, smooth)
        step += 1
    log.info("denoiser: %d steps of %d", step, BATCH)
    averaged = average.module
    assert isinstance(averaged, Conditioned)
    return averaged.eval().requires_grad_(False)


def _loss(
    model: Conditioned,
    schedule: DDIMScheduler,
    moments: Tensor,
    tokens: Tensor,
    empty: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Loss of a batch drawn by `generator`, which is on the CPU."""
    rows = torch.randint(len(moments), (BATCH,), generator=generator)
    mean, deviation = moments[rows.to(moments.device)].unbind(1)
    latents = mean + deviation * torch.randn(mean.shape, generator=generator).to(moments.device)
    noise = torch.randn(mean.shape, generator=generator).to(moments.device)
    timesteps = torch.randint(1000, (BATCH,), generator=generator)
    dropped = torch.rand(BATCH, 1, generator=generator) < PROMPT_DROP
    words = torch.where(dropped, empty, tokens[rows]).to(moments.device)
    times = timesteps.to(moments.device)
    with torch.autocast(moments.device.type, torch.bfloat16):
        predicted = model(schedule.add_noise(latents, noise, times), times, words)
    return functional.mse_loss(predicted.float(), noise)
