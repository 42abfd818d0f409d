"""SDEdit draws what diffusers' own pipeline draws."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline

from train.base import Base, load_base
from train.sampler import SCHEDULERS, Sampling
from train.sdedit import edit

ROOT = Path(__file__).parent.parent.parent
CAPTIONS = ["a red ball on the floor", "an empty room with a window"]
SIDE = 128


@pytest.fixture(scope="module")
def tiny() -> Base:
    """The tiny base whose autoencoder is sure of itself: a sample of its posterior, diffusers' way, is the mean."""
    base = load_base(str(ROOT / "train/tiny_base/model"))
    with torch.no_grad():
        spread = base.vae.quant_conv.weight.shape[0] // 2  # log variances are the second half of the moments
        base.vae.quant_conv.weight[spread:] = 0
        base.vae.quant_conv.bias[spread:] = -30
    return base


def hints() -> torch.Tensor:
    """Black with a white square and a grey bar: [2, 3, H, W] float32 in [0, 1]."""
    drawn = torch.zeros(2, 3, SIDE, SIDE)
    drawn[0, :, 32:96, 40:88] = 1
    drawn[1, :, 60:70] = 0.5
    return drawn


def noise(base: Base) -> tuple[list[torch.Generator], torch.Tensor]:
    """Generators, and what diffusers draws of them second: first it samples the posterior, then comes the noise."""
    shape = base.latent_shape(SIDE)
    second = []
    for seed in (1, 2):
        generator = torch.Generator().manual_seed(seed)
        _, last = (torch.randn((1, *shape), generator=generator) for _ in range(2))
        second.append(last)
    return [torch.Generator().manual_seed(seed) for seed in (1, 2)], torch.cat(second)


@pytest.mark.parametrize(("scheduler", "guidance"), [("ddim", 1.0), *((name, 3.0) for name in SCHEDULERS)], ids=str)
def test_pictures_are_those_of_diffusers_img2img_pipeline(tiny: Base, scheduler: str, guidance: float) -> None:
    way = Sampling(SIDE, scheduler=scheduler, steps=5, guidance=guidance, strength=0.7, negative_prompt="dark")
    pipeline = StableDiffusionImg2ImgPipeline(
        vae=tiny.vae,
        text_encoder=tiny.text_encoder,
        tokenizer=tiny.tokenizer,
        unet=tiny.unet,
        scheduler=SCHEDULERS[scheduler].from_config(tiny.scheduler.config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    generators, second = noise(tiny)
    theirs = pipeline(
        prompt=CAPTIONS,
        negative_prompt=["dark"] * 2,
        image=hints(),
        strength=0.7,
        num_inference_steps=5,
        guidance_scale=guidance,
        generator=generators,
        output_type="np",
    ).images
    ours = edit(tiny, CAPTIONS, hints(), noise=second, sampling=way)
    assert np.abs(ours.astype(int) - (theirs * 255).round().astype(int)).max() <= 1


def test_the_weaker_the_nearer_to_the_hint(tiny: Base) -> None:
    _, second = noise(tiny)
    given = (hints().permute(0, 2, 3, 1).numpy() * 255).round()
    apart = [
        np.abs(
            edit(tiny, CAPTIONS, hints(), noise=second, sampling=Sampling(SIDE, steps=10, strength=strength)) - given
        )
        for strength in (0.2, 0.5, 1.0)
    ]
    errors = [each.mean() for each in apart]
    assert errors == sorted(errors)
    assert errors[0] < 0.5 * errors[2]


def test_pictures_that_are_no_numbers_are_told_with_a_way_out(tiny: Base) -> None:
    _, second = noise(tiny)
    with pytest.raises(ValueError, match=r"2 of 2 pictures are not numbers.*evaluate.precision: no"):
        edit(tiny, CAPTIONS, hints() * float("nan"), noise=second, sampling=Sampling(SIDE, steps=2))
