"""The tiny base that lies in the repository is whole, small, and draws."""

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from annotate.corpora import fill50k, playroom
from train.tiny_base import colours
from train.tiny_base.judge import psnr, reconstruct
from train.tiny_base.make import MODEL

TOP, BOTTOM = slice(0, 12), slice(-12, None)  # rows of pixels


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    loaded = StableDiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def test_it_is_small_and_has_a_card() -> None:
    assert sum(path.stat().st_size for path in MODEL.rglob("*.safetensors")) < 20e6
    card = (MODEL / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert (MODEL / "grid.png").is_file()


def test_the_autoencoder_rebuilds_pictures_it_has_not_seen(pipeline: StableDiffusionPipeline) -> None:
    pictures = np.stack([playroom.record(7, row).image for row in range(8)])
    assert psnr(pictures, reconstruct(pipeline, torch.from_numpy(pictures))) > 22


def test_latents_have_unit_variance(pipeline: StableDiffusionPipeline) -> None:
    pictures = np.stack([playroom.record(7, row).image for row in range(16)])
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        latents = pipeline.vae.encode(pixels).latent_dist.mean * pipeline.vae.config.scaling_factor
    assert float(latents.std()) == pytest.approx(1, abs=0.2)


def test_a_caption_decides_the_colour(pipeline: StableDiffusionPipeline) -> None:
    captions = ["red ball, sky wall, brick floor"] * 4 + ["red ball, cream wall, moss floor"] * 4
    generators = [torch.Generator().manual_seed(number % 4) for number in range(8)]
    answer = pipeline(captions, num_inference_steps=10, guidance_scale=3.0, generator=generators, output_type="np")
    wall, floor = (answer.images[:, rows].mean(axis=(1, 2)).reshape(2, 4, 3).mean(axis=1) for rows in (TOP, BOTTOM))
    assert wall[0, 2] > wall[0, 0]  # sky is bluer than red, cream the other way round
    assert wall[1, 0] > wall[1, 2]
    assert floor[0, 0] > floor[0, 1]  # brick is redder than green, moss the other way round
    assert floor[1, 1] > floor[1, 0]


def test_a_caption_decides_both_colours_of_a_circle(pipeline: StableDiffusionPipeline) -> None:
    captions = [
        "red circle with cyan background",
        "navy circle with gold background",
        "lime circle with pink background",
    ]
    generators = [torch.Generator().manual_seed(number) for number in range(3)]
    drawn = pipeline(captions, num_inference_steps=20, guidance_scale=3.0, generator=generators).images
    for caption, picture in zip(captions, drawn, strict=True):
        for part, name in colours.named(caption).items():
            distance = np.linalg.norm(colours.seen(np.asarray(picture), part) - fill50k.COLOURS[name])
            assert distance < 100, f"{part} of {caption!r}"
