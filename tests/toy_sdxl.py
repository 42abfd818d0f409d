"""A Stable Diffusion XL pipeline of toy size in diffusers layout, never trained: two tokenizers, two text encoders."""

from pathlib import Path

import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from tests.toy_base import SIDE, autoencoder, letter_tokenizer, noise_schedule

WIDTH = 16
SECOND_WIDTH = 24
POOLED = 20  # of the second text encoder's projection
SIZE_WIDTH = 8  # of the embedding of each of six sizes


def write_toy_sdxl(folder: Path) -> None:
    """Write the pipeline, the same weights every time."""
    torch.manual_seed(0)
    first, second = letter_tokenizer(folder / "tokenizer"), letter_tokenizer(folder / "tokenizer_2")
    second.pad_token = "!"  # as that of the release, so that tokens differ between the two
    pipeline = StableDiffusionXLPipeline(
        vae=autoencoder(),
        text_encoder=CLIPTextModel(_text_config(first, WIDTH)),
        text_encoder_2=CLIPTextModelWithProjection(_text_config(second, SECOND_WIDTH)),
        tokenizer=first,
        tokenizer_2=second,
        unet=_denoiser(),
        scheduler=noise_schedule(),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)


def _denoiser() -> UNet2DConditionModel:
    """Three levels, of which the first attends to nothing and the last twice, as the release's ten times."""
    return UNet2DConditionModel(
        sample_size=SIDE // 8,
        block_out_channels=(WIDTH, WIDTH, WIDTH),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2),
        cross_attention_dim=WIDTH + SECOND_WIDTH,
        attention_head_dim=(1, 2, 4),
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=SIZE_WIDTH,
        projection_class_embeddings_input_dim=POOLED + 6 * SIZE_WIDTH,
    )


def _text_config(tokenizer: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=width,
        projection_dim=POOLED,
        num_hidden_layers=3,  # so that the penultimate state is neither the first nor the last
        num_attention_heads=2,
        max_position_embeddings=12,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
