from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import (
    DDPMScheduler,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
)

from manifests.control import ControlSettings
from tests.toy_sd2 import write_toy_sd2
from train.base import Base, load_base
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.registry import build_control
from train.sampler import SCHEDULERS, Hints, Sampling, draw, first_noise, sample_seed, scheduler_of

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


def xl_parts(base: Base) -> dict[str, object]:
    return {
        "vae": base.vae,
        "text_encoder": base.text_encoder,
        "text_encoder_2": base.text_encoder_2,
        "tokenizer": base.tokenizer,
        "tokenizer_2": base.tokenizer_2,
        "unet": base.unet,
        "scheduler": SCHEDULERS[WAY.scheduler].from_config(base.scheduler.config),
        "force_zeros_for_empty_prompt": base.zeros_for_empty,
        "add_watermarker": False,
    }


def call(base: Base, way: Sampling = WAY) -> dict[str, object]:
    """What the pipelines of diffusers are asked."""
    return {
        "prompt": CAPTIONS,
        "negative_prompt": [way.negative_prompt] * 2 if way.negative_prompt else None,
        "num_inference_steps": WAY.steps,
        "guidance_scale": way.guidance,
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
    ours = draw(base, net, CAPTIONS, asked, noise=noise_of(base), sampling=replace(WAY, scheduler=scheduler))
    assert levels_apart(ours, theirs) <= 1


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
def test_without_a_control_pictures_are_those_of_diffusers_own_pipeline(base: Base, scheduler: str) -> None:
    pipeline = StableDiffusionPipeline(**parts(base, scheduler))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(**call(base)).images
    ours = draw(base, None, CAPTIONS, None, noise=noise_of(base), sampling=replace(WAY, scheduler=scheduler))
    assert levels_apart(ours, theirs) <= 1


XL_WAYS = pytest.mark.parametrize(
    "way",
    [WAY, replace(WAY, negative_prompt=""), replace(WAY, guidance=1.0)],
    ids=["negative prompt", "none, which is zeros", "no guidance"],
)


@XL_WAYS
def test_pictures_of_an_xl_base_are_those_of_diffusers_xl_controlnet_pipeline(xl_base: Base, way: Sampling) -> None:
    net = trained(build_control(xl_base.unet, ControlSettings(), seed=0))
    pipeline = StableDiffusionXLControlNetPipeline(controlnet=net.net, **xl_parts(xl_base))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(image=hints(), controlnet_conditioning_scale=way.control_scale, **call(xl_base, way)).images
    ours = draw(
        xl_base, net, CAPTIONS, Hints(hints()[:, None], torch.ones(2, 1)), noise=noise_of(xl_base), sampling=way
    )
    assert levels_apart(ours, theirs) <= 1


@XL_WAYS
def test_without_a_control_pictures_of_an_xl_base_are_those_of_its_pipeline(xl_base: Base, way: Sampling) -> None:
    pipeline = StableDiffusionXLPipeline(**xl_parts(xl_base))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(**call(xl_base, way)).images
    ours = draw(xl_base, None, CAPTIONS, None, noise=noise_of(xl_base), sampling=way)
    assert levels_apart(ours, theirs) <= 1


def test_an_xl_base_that_encodes_the_empty_prompt_draws_other_pictures_than_one_of_zeros(xl_base: Base) -> None:
    way, encoding = replace(WAY, negative_prompt=""), replace(xl_base, zeros_for_empty=False)
    pipeline = StableDiffusionXLPipeline(**xl_parts(encoding))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(**call(encoding, way)).images
    ours, zeros = (draw(one, None, CAPTIONS, None, noise=noise_of(one), sampling=way) for one in (encoding, xl_base))
    assert levels_apart(ours, theirs) <= 1
    assert not np.array_equal(ours, zeros)


def test_pictures_of_a_velocity_base_are_those_of_diffusers_pipeline(tmp_path: Path) -> None:
    write_toy_sd2(tmp_path / "sd2")
    base = load_base(str(tmp_path / "sd2"))
    pipeline = StableDiffusionPipeline(**parts(base, WAY.scheduler))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(**call(base)).images
    assert levels_apart(draw(base, None, CAPTIONS, None, noise=noise_of(base), sampling=WAY), theirs) <= 1


@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS))
def test_latents_are_never_clipped_as_if_they_were_pixels(base: Base, scheduler: str) -> None:
    asked = SimpleNamespace(scheduler=DDPMScheduler(clip_sample=True), unet=base.unet)
    assert not scheduler_of(asked, replace(WAY, scheduler=scheduler)).config.get("clip_sample", False)


def test_a_control_of_scale_zero_draws_what_the_base_draws(base: Base, control: Control) -> None:
    asked, way = Hints(hints()[:, None], torch.ones(2, 1)), replace(WAY, control_scale=0.0)
    with_it = draw(base, trained(control), CAPTIONS, asked, noise=noise_of(base), sampling=way)
    assert np.array_equal(with_it, draw(base, None, CAPTIONS, None, noise=noise_of(base), sampling=way))


DIFFUSERS_WAYS = {
    "guess mode": (replace(WAY, guess="diffusers"), {"guess_mode": True}),
    "late": (replace(WAY, control_start=0.3), {"control_guidance_start": 0.3}),
    "early": (replace(WAY, control_end=0.7), {"control_guidance_end": 0.7}),
}


@pytest.mark.parametrize("name", list(DIFFUSERS_WAYS))
def test_guess_mode_start_and_end_draw_the_pictures_of_diffusers_pipeline(
    base: Base, control: Control, name: str
) -> None:
    net, (way, told) = trained(control), DIFFUSERS_WAYS[name]
    pipeline = StableDiffusionControlNetPipeline(controlnet=net.net, **parts(base, way.scheduler))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(image=hints(), controlnet_conditioning_scale=way.control_scale, **call(base), **told).images
    asked = Hints(hints()[:, None], torch.ones(2, 1))
    ours = draw(base, net, CAPTIONS, asked, noise=noise_of(base), sampling=way)
    assert levels_apart(ours, theirs) <= 1
    assert not np.array_equal(ours, draw(base, net, CAPTIONS, asked, noise=noise_of(base), sampling=WAY))


def test_a_control_that_never_takes_part_draws_what_the_base_draws(base: Base, control: Control) -> None:
    asked, way = Hints(hints()[:, None], torch.ones(2, 1)), replace(WAY, control_start=1.0)
    with_it = draw(base, trained(control), CAPTIONS, asked, noise=noise_of(base), sampling=way)
    assert np.array_equal(with_it, draw(base, None, CAPTIONS, None, noise=noise_of(base), sampling=way))


def test_pictures_that_are_no_numbers_are_told_with_a_way_out(base: Base, control: Control) -> None:
    net = trained(control)
    with torch.no_grad():
        next(net.parameters()).fill_(float("nan"))
    asked = Hints(hints()[:, None], torch.ones(2, 1))
    with pytest.raises(ValueError, match=r"2 of 2 pictures are not numbers.*evaluate.precision: no"):
        draw(base, net, CAPTIONS, asked, noise=noise_of(base), sampling=WAY)
