"""The tiny base that lies in the repository is whole, small, and draws."""

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from annotate.corpora import playroom
from train.tiny_base.judge import psnr, reconstruct
from train.tiny_base.make import MODEL


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
    captions = ["yellow circle with blue background", "blue circle with yellow background"]
    generators = [torch.Generator().manual_seed(0) for _ in captions]
    answer = pipeline(captions, num_inference_steps=10, guidance_scale=3.0, generator=generators, output_type="np")
    corners = np.median(answer.images[:, :4, :4].reshape(2, -1, 3), axis=1)  # RGB in [0, 1]
    assert corners[0, 2] > corners[0, 0]
    assert corners[1, 0] > corners[1, 2]
