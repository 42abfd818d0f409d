"""Stable Diffusion 2.x and XL go through the same loop as 1.5; only `base` in the manifest differs."""

import json
from pathlib import Path

import pytest
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionXLControlNetPipeline
from PIL import Image
from safetensors.torch import load_file

from tests.toy_run import train
from tests.toy_sd2 import write_toy_sd2


@pytest.fixture
def sd2_folder(tmp_path: Path) -> Path:
    write_toy_sd2(tmp_path / "sd2")
    return tmp_path / "sd2"


def trained_on(base: Path, manifest: Path, run: Path) -> ControlNetModel:
    """Two steps in this process, after the second of which it draws; then what the run leaves, read by diffusers."""
    settings = (f"base={base}", "train.steps=2", "watch.probe_every=2")
    train(manifest, run, *(word for setting in settings for word in ("--set", setting)))
    losses = [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert len(losses) == 2
    assert all(0 < loss < 100 for loss in losses)
    zero = load_file(run / "controlnet" / "diffusion_pytorch_model.safetensors")["controlnet_mid_block.weight"]
    assert zero.any(), "the zero convolutions have learned"
    return ControlNetModel.from_pretrained(run / "controlnet")


def test_plain_diffusers_draws_with_what_two_steps_on_an_xl_base_leave(
    manifest_path: Path, tmp_path: Path, xl_folder: Path
) -> None:
    controlnet = trained_on(xl_folder, manifest_path, tmp_path / "run")
    pipeline = StableDiffusionXLControlNetPipeline.from_pretrained(
        xl_folder, controlnet=controlnet, add_watermarker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("circle", image=Image.new("RGB", (32, 32)), num_inference_steps=2).images[0]
    assert picture.size == (32, 32)


def test_plain_diffusers_draws_with_what_two_steps_on_a_velocity_base_leave(
    manifest_path: Path, tmp_path: Path, sd2_folder: Path
) -> None:
    controlnet = trained_on(sd2_folder, manifest_path, tmp_path / "run")
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(
        sd2_folder, controlnet=controlnet, safety_checker=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("circle", image=Image.new("RGB", (32, 32)), num_inference_steps=2).images[0]
    assert picture.size == (32, 32)
