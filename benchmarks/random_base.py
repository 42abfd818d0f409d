"""A base of Stable Diffusion 1.5's size, drawn at random: it costs what the real one costs, and knows nothing.

The architecture is that of the configuration published as stable-diffusion-v1-5/stable-diffusion-v1-5.
"""

import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

TINY = Path(__file__).resolve().parent.parent / "train/tiny_base/model"
TOKENS = 77
LAST = "model_index.json"


def write_random_base(folder: Path) -> Path:
    """Write the pipeline, 4.3 GB in float32, unless it is there; returns its folder."""
    if (folder / LAST).exists():
        return folder
    torch.manual_seed(0)
    write_tokenizer(folder / "tokenizer")
    denoiser().save_pretrained(folder / "unet")
    autoencoder().save_pretrained(folder / "vae")
    text_encoder().save_pretrained(folder / "text_encoder")
    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    DDPMScheduler(**noise, clip_sample=False, steps_offset=1).save_pretrained(folder / "scheduler")
    shutil.copy(TINY / LAST, folder / LAST)
    return folder


def denoiser() -> UNet2DConditionModel:
    """The U-Net, 860 million parameters."""
    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(320, 640, 1280, 1280),
        layers_per_block=2,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        cross_attention_dim=768,
        attention_head_dim=8,
    )


def autoencoder() -> AutoencoderKL:
    """The autoencoder, 84 million parameters."""
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=512,
    )


def text_encoder() -> CLIPTextModel:
    """The text encoder, 123 million parameters."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49_408,
            hidden_size=768,
            intermediate_size=3_072,
            num_hidden_layers=12,
            num_attention_heads=12,
            max_position_embeddings=TOKENS,
        )
    )


def write_tokenizer(folder: Path) -> None:
    """The tiny base's, filling up to as many tokens as the real one's."""
    shutil.copytree(TINY / "tokenizer", folder, dirs_exist_ok=True)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": TOKENS}))
