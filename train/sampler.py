"""Draws pictures from captions and hints with any control; diffusers' schedulers decide the path from noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, UniPCMultistepScheduler
from numpy.typing import NDArray
from torch import Tensor

from manifests.evaluate_settings import Guess
from manifests.manifest import Manifest
from train.base import Base, decode_latents, encode_tokens, tokenize
from train.control.control import Control
from train.control.scale import Scale, guess_scales, strides_of
from train.text import Text

Pictures = NDArray[np.uint8]
Answer = Callable[[Tensor, int, Tensor], Tensor]  # to noisy latents at a step and its time

SCHEDULERS: dict[str, Any] = {
    "ddim": DDIMScheduler,
    "unipc": UniPCMultistepScheduler,
    "dpmsolver": DPMSolverMultistepScheduler,
    "euler": EulerDiscreteScheduler,
}


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn; the same for every arm and every run that is compared."""

    resolution: int  # pixels, both sides
    scheduler: str = "ddim"
    steps: int = 20
    guidance: float = 9.0  # classifier-free guidance (Eq. 6 of Ho & Salimans 2022, w + 1); off at 1 and below
    guess: Guess = ""  # guess mode: see `guess_scales`; the half without a caption then sees no hint
    control_scale: float = 1.0
    control_start: float = 0.0  # share of the steps before which, and
    control_end: float = 1.0  # after which the base draws alone
    negative_prompt: str = ""
    strength: float = 0.8  # of SDEdit (`train.sdedit`): share of the way from picture to noise that a hint is taken

    def controlled(self, step: int) -> bool:
        """Whether the control takes part in a step; as diffusers' `control_guidance_start` and `_end` say."""
        return step / self.steps >= self.control_start and (step + 1) / self.steps <= self.control_end


@dataclass(frozen=True)
class Hints:
    """What the pictures shall obey."""

    drawn: Tensor  # [B, K, 3, H, W] float32 in [0, 1]
    present: Tensor  # [B, K] float32 in {0, 1}


def sampling_of(manifest: Manifest) -> Sampling:
    """How a manifest says that pictures are drawn."""
    settings = manifest.evaluate
    return Sampling(
        resolution=manifest.resolution,
        scheduler=settings.scheduler,
        steps=settings.steps,
        guidance=settings.guidance,
        guess=settings.guess,
        control_scale=settings.control_scale,
        control_start=settings.control_start,
        control_end=settings.control_end,
        negative_prompt=settings.negative_prompt,
        strength=settings.strength,
    )


def sample_seed(seed: int, *, key: str, draw: int) -> int:
    """The seed of one picture: the same for every model that is asked for it; another `draw` has another."""
    return int(sha256(f"{seed}:{key}:{draw}".encode()).hexdigest()[:15], 16)


def first_noise(base: Base, seeds: Sequence[int], *, resolution: int) -> Tensor:
    """Draw the noise that each picture starts from, on the CPU so that every device gets the same.

    Returns:
        [B, C, h, w] float32 standard normal.
    """
    shape = base.latent_shape(resolution)
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def draw(
    base: Base,
    control: Control | None,
    captions: Sequence[str],
    hints: Hints | None,
    *,
    noise: Tensor,
    sampling: Sampling,
) -> Pictures:
    """Draw what the captions say along the hints, as diffusers' pipelines with a ControlNet do.

    Args:
        control: in evaluation mode on the base's device; None draws with the base alone.
        captions: B texts.
        hints: of these, on any device; None where there is no control.
        noise: [B, C, h, w] float32 standard normal.

    Returns:
        [B, H, W, 3] uint8 RGB.

    Raises:
        ValueError: A network gave what is no number.
    """
    return finished(base, draw_latents(base, control, captions, hints, noise=noise, sampling=sampling))


def finished(base: Base, latents: Tensor) -> Pictures:
    """Decode what was drawn: [B, C, h, w] floating, scaled, to [B, H, W, 3] uint8 RGB.

    Raises:
        ValueError: Some of it is no number.
    """
    if lost := int((~torch.isfinite(latents)).flatten(1).any(dim=1).sum()):
        raise ValueError(
            f"{lost} of {len(latents)} pictures are not numbers (NaN or infinite). Draw in a wider precision "
            "(evaluate.precision: no); if they still are, the weights are lost: train again at a lower learning rate"
        )
    return decode_latents(base, latents)


@torch.no_grad()
def draw_latents(
    base: Base,
    control: Control | None,
    captions: Sequence[str],
    hints: Hints | None,
    *,
    noise: Tensor,
    sampling: Sampling,
) -> Tensor:
    """Draw, but for decoding; see `draw`.

    Returns:
        [B, C, h, w] in the base's dtype, scaled; not finite where a network overflowed.
    """
    scheduler = scheduler_of(base, sampling)
    latents = noise.to(base.unet.device, base.unet.dtype) * scheduler.init_noise_sigma
    return denoise(scheduler, latents, guided(base, control, captions, hints, sampling=sampling))


def scheduler_of(base: Base, sampling: Sampling) -> Any:
    """A scheduler of diffusers on the base's noise schedule, its timesteps set."""
    scheduler = SCHEDULERS[sampling.scheduler].from_config(base.scheduler.config)
    if "clip_sample" in scheduler.config:  # of pixels, within -1 and 1; latents go beyond, and would be washed out
        scheduler.register_to_config(clip_sample=False)
    scheduler.set_timesteps(sampling.steps, device=base.unet.device)
    return scheduler


def denoise(scheduler: Any, latents: Tensor, answer: Answer, *, first: int = 0) -> Tensor:
    """Take latents from noise to pictures along a scheduler's timesteps.

    Args:
        latents: [B, C, h, w] floating, as noisy as they are at the first of these steps.
        answer: what the networks say.
        first: step to begin at.

    Returns:
        The same without noise, scaled.
    """
    for step, time in list(enumerate(scheduler.timesteps))[first:]:
        noisy = scheduler.scale_model_input(latents, time)
        latents = scheduler.step(answer(noisy, step, time), time, latents).prev_sample
    return latents


def guided(
    base: Base, control: Control | None, captions: Sequence[str], hints: Hints | None, *, sampling: Sampling
) -> Answer:
    """What the networks answer to noisy latents [B, C, h, w] at a step and its time, guided by the captions.

    Args:
        control: None asks the base alone.
        captions: B texts.
        hints: of these, on any device; None where there is no control.
    """
    twice, device = 2 if sampling.guidance > 1 else 1, base.unet.device
    text = _encoded(base, captions, sampling, device)
    shown = hints and _shown(hints, sampling, twice, device)
    alone, controlled = (_predictor(base, each, text, shown, scale=_scale(base, sampling)) for each in (None, control))

    def answer(latents: Tensor, step: int, time: Tensor) -> Tensor:
        noisy = _repeated(latents, twice)
        said = (controlled if sampling.controlled(step) else alone)(noisy, time.expand(len(noisy)))
        if twice == 1:
            return said
        without, with_caption = said.chunk(2)
        return without + sampling.guidance * (with_caption - without)

    return answer


def _shown(hints: Hints, sampling: Sampling, twice: int, device: torch.device) -> Hints:
    """The hints of both halves; in guess mode the first, of the negative prompts, has none."""
    present = _repeated(hints.present.to(device), twice)
    if sampling.guess and twice == 2:
        present[: len(hints.present)] = 0
    return Hints(_repeated(hints.drawn.to(device), twice), present)


def _scale(base: Base, sampling: Sampling) -> Scale:
    if not sampling.guess:
        return sampling.control_scale
    return tuple(sampling.control_scale * factor for factor in guess_scales(sampling.guess, strides_of(base.unet)))


def _predictor(
    base: Base, control: Control | None, text: Text, hints: Hints | None, *, scale: Scale
) -> Callable[[Tensor, Tensor], Tensor]:
    """What answers noisy latents and timesteps: the base alone, or the control."""

    def alone(noisy: Tensor, times: Tensor) -> Tensor:
        return torch.as_tensor(base.unet(noisy, times, **text.of(base.unet.dtype)).sample)

    def controlled(noisy: Tensor, times: Tensor) -> Tensor:
        assert control is not None
        assert hints is not None
        answer = control(noisy, times, text, hints.drawn, hints.present, scale=scale)
        return torch.as_tensor(answer).to(noisy.dtype)

    return alone if control is None or hints is None else controlled


def _encoded(base: Base, captions: Sequence[str], sampling: Sampling, device: torch.device) -> Text:
    """The captions; before them, where guidance is on, as many negative prompts."""

    def encoded(texts: Sequence[str]) -> Text:
        tokens = torch.stack([tokenize(base.tokenizers, text) for text in texts]).to(device)
        return encode_tokens(base, tokens, resolution=sampling.resolution)

    wanted = encoded(captions)
    if sampling.guidance <= 1:
        return wanted
    silent = base.zeros_for_empty and not sampling.negative_prompt
    return (wanted.silent() if silent else encoded([sampling.negative_prompt] * len(captions))).beside(wanted)


def _repeated(tensor: Tensor, times: int) -> Tensor:
    return torch.cat([tensor] * times)
