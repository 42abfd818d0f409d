from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionControlNetPipeline, StableDiffusionPipeline

from train.base import Base
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.sampler import SCHEDULERS, Hints, Sampling, draw, first_noise, sample_seed

CAPTIONS = ["blue box", "red ball"]
WAY = Sampling(resolution=32, steps=3, guidance=4.0, negative_prompt="grey", control_scale=0.8)


def trained(control: Control) -> ControlNet:
    """The control with weights as if it had been trained: none is zero."""
    assert isinstance(control, ControlNet)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in control.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return control.eval()


def noise_of(base: Base) -> torch.Tensor:
    return first_noise(base, [sample_seed(0, key=caption, draw=0) for caption in CAPTIONS], resolution=32)


def hints() -> torch.Tensor:
    return torch.rand((2, 3, 32, 32), generator=torch.Generator().manual_seed(2))


def parts(base: Base, scheduler: str) -> dict[str, object]:
    return {
        "vae": base.vae,
        "text_encoder": base.text_encoder,
        "tokenizer": base.tokenizer,
        "unet": base.unet,
        "scheduler": SCHEDULERS[scheduler].from_config(base.scheduler.config),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def call(base: Base) -> dict[str, object]:
    """What both pipelines of diffusers are asked."""
    return {
        "prompt": CAPTIONS,
        "negative_prompt": [WAY.negative_prompt] * 2,
        "num_inference_steps": WAY.steps,
        "guidance_scale": WAY.guidance,
        "latents": noise_of(base),
        "height": 32,
        "width": 32,
        "output_type": "np",
    }


def levels_apart(ours: np.ndarray, theirs: np.ndarray) -> int:
    return int(np.abs(ours.astype(int) - (theirs * 255).round().astype(int)).max())


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
def test_pictures_are_those_of_diffusers_controlnet_pipeline(base: Base, control: Control, scheduler: str) -> None:
    net = trained(control)
    pipeline = StableDiffusionControlNetPipeline(controlnet=net.net, **parts(base, scheduler))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(image=hints(), controlnet_conditioning_scale=WAY.control_scale, **call(base)).images
    asked = Hints(hints()[:, None], torch.ones(2, 1))
    ours = draw(base, net, CAPTIONS, asked, noise=noise_of(base), way=replace(WAY, scheduler=scheduler))
    assert levels_apart(ours, theirs) <= 1


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
def test_without_a_control_pictures_are_those_of_diffusers_own_pipeline(base: Base, scheduler: str) -> None:
    pipeline = StableDiffusionPipeline(**parts(base, scheduler))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(**call(base)).images
    ours = draw(base, None, CAPTIONS, None, noise=noise_of(base), way=replace(WAY, scheduler=scheduler))
    assert levels_apart(ours, theirs) <= 1


def test_a_control_of_scale_zero_draws_what_the_base_draws(base: Base, control: Control) -> None:
    asked, way = Hints(hints()[:, None], torch.ones(2, 1)), replace(WAY, control_scale=0.0)
    with_it = draw(base, trained(control), CAPTIONS, asked, noise=noise_of(base), way=way)
    assert np.array_equal(with_it, draw(base, None, CAPTIONS, None, noise=noise_of(base), way=way))
