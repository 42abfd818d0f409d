"""Draws pictures from captions and hints; each picture's noise comes from its own seed, whatever batch it is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)
from numpy.typing import NDArray
from torch import Tensor

from train.base import Base
from train.samples import sample_generator

Pictures = NDArray[np.uint8]

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
    guidance: float = 9.0  # classifier-free guidance (Eq. 6 of Ho & Salimans 2022, w + 1)
    control_scale: float = 1.0
    negative_prompt: str = ""


@dataclass(frozen=True)
class Pipelines:
    """The released pipeline with and without its ControlNet, on one set of weights."""

    controlled: StableDiffusionControlNetPipeline
    uncontrolled: StableDiffusionPipeline


def sample_seed(seed: int, *, key: str, draw: int) -> int:
    """The seed of one picture: the same for every model that is asked for it."""
    return sample_generator(seed, key, draw=draw).initial_seed()


def check_scheduler(name: str) -> None:
    """Refuse a scheduler that nothing here can make."""
    if name not in SCHEDULERS:
        raise ValueError(f"evaluate.scheduler: there is no scheduler '{name}'. Take one of {', '.join(SCHEDULERS)}")


def load_pipelines(base: Base, controlnet: ControlNetModel, *, scheduler: str, device: torch.device) -> Pipelines:
    """Put the base and its ControlNet into diffusers' own pipelines, on `device`."""
    check_scheduler(scheduler)
    parts = {
        "vae": base.vae,
        "text_encoder": base.text_encoder,
        "tokenizer": base.tokenizer,
        "unet": base.unet,
        # One for both: StableDiffusionPipeline mends old configurations (steps_offset), the other does not, and a
        # floor drawn at other timesteps would be none.
        "scheduler": SCHEDULERS[scheduler].from_config(base.scheduler.config),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }
    uncontrolled = StableDiffusionPipeline(**parts).to(device)
    controlled = StableDiffusionControlNetPipeline(controlnet=controlnet, **parts).to(device)
    controlled.set_progress_bar_config(disable=True)
    uncontrolled.set_progress_bar_config(disable=True)
    return Pipelines(controlled, uncontrolled)


def first_noise(base: Base, seeds: Sequence[int], *, resolution: int) -> Tensor:
    """Draw the noise that each picture starts from, on the CPU so that every device gets the same.

    Returns:
        [B, C, h, w] float32 standard normal.
    """
    shape = base.latent_shape(resolution)
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def draw_controlled(
    pipelines: Pipelines, captions: Sequence[str], hints: Tensor, *, noise: Tensor, sampling: Sampling
) -> Pictures:
    """Draw what the captions say along the hints.

    Args:
        captions: B texts.
        hints: [B, 3, H, W] float32 in [0, 1].
        noise: [B, C, h, w] float32 standard normal.

    Returns:
        [B, H, W, 3] uint8 RGB.
    """
    return _pictures(
        pipelines.controlled(
            prompt=list(captions),
            image=hints.to(pipelines.controlled.device),
            controlnet_conditioning_scale=sampling.control_scale,
            **_call(pipelines.controlled, noise, sampling),
        )
    )


def draw_uncontrolled(pipelines: Pipelines, captions: Sequence[str], *, noise: Tensor, sampling: Sampling) -> Pictures:
    """Draw the same captions from the same noise with the control off: the floor.

    Returns:
        [B, H, W, 3] uint8 RGB.
    """
    return _pictures(pipelines.uncontrolled(prompt=list(captions), **_call(pipelines.uncontrolled, noise, sampling)))


def _call(pipeline: Any, noise: Tensor, sampling: Sampling) -> dict[str, Any]:
    """The arguments that both pipelines share."""
    return {
        "height": sampling.resolution,
        "width": sampling.resolution,
        "num_inference_steps": sampling.steps,
        "guidance_scale": sampling.guidance,
        "negative_prompt": [sampling.negative_prompt] * len(noise),
        "latents": noise.to(pipeline.device, pipeline.unet.dtype),
    }


def _pictures(result: Any) -> Pictures:
    return np.stack([np.asarray(image.convert("RGB"), np.uint8) for image in result.images])
