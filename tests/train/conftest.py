"""A Stable Diffusion pipeline of toy size, never trained, and pictures with edges."""

import json
from pathlib import Path

import cv2
import datasets
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, ControlNetModel, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from manifests.condition import encode
from train.base import Base, load_base
from train.controlnet import trainable_copy

SIDE = 32  # pixels; latents are 4 by 4
WIDTH = 16


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # networks of toy size only wait for each other's threads


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder / "tokenizer")
    _autoencoder().save_pretrained(folder / "vae")
    _denoiser().save_pretrained(folder / "unet")
    _text_encoder(tokenizer).save_pretrained(folder / "text_encoder")
    _noise_schedule().save_pretrained(folder / "scheduler")
    tokenizer.save_pretrained(folder / "tokenizer")
    (folder / "model_index.json").write_text(
        json.dumps(
            {
                "_class_name": "StableDiffusionPipeline",
                "vae": ["diffusers", "AutoencoderKL"],
                "unet": ["diffusers", "UNet2DConditionModel"],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "scheduler": ["diffusers", "DDPMScheduler"],
                "safety_checker": [None, None],
                "feature_extractor": [None, None],
            }
        )
    )
    return folder


@pytest.fixture
def base(base_folder: Path) -> Base:
    return load_base(str(base_folder))


@pytest.fixture
def controlnet(base: Base) -> ControlNetModel:
    return trainable_copy(base.unet, seed=0)


@pytest.fixture(scope="session")
def table() -> datasets.Dataset:
    """A training set of 12 pictures in memory, each with its edges and two captions."""
    rows = [_row(number) for number in range(12)]
    return datasets.Dataset.from_list(rows)


def _row(number: int) -> dict[str, object]:
    rng = np.random.default_rng(number)
    image = np.full((40, 48, 3), rng.integers(0, 255, 3), np.uint8)
    colour = tuple(int(value) for value in rng.integers(0, 255, 3))
    cv2.circle(image, (24, 20), int(rng.integers(6, 16)), colour, -1)
    edges = (cv2.Canny(image, 20, 60) > 0).astype(np.uint8)
    return {
        "key": f"{number:016x}",
        "captions": [f"circle {number}", f"a circle of number {number}"],
        "image": {"bytes": cv2.imencode(".png", image)[1].tobytes(), "path": None},
        "condition": encode("binary", edges),
        "width": 48,
        "height": 40,
    }


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=SIDE,
    )


def _denoiser() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE // 8,
        block_out_channels=(WIDTH, WIDTH),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=4,
    )


def _text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=12,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """Letters and nothing longer."""
    letters = [chr(code) for code in range(33, 127)]
    symbols = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({symbol: number for number, symbol in enumerate(symbols)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12)


def _noise_schedule() -> DDPMScheduler:
    return DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)
