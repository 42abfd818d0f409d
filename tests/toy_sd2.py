"""A pipeline of toy size as Stable Diffusion 2.x has it: it predicts velocity, and its U-Net projects linearly."""

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from tests.toy_base import SIDE, WIDTH, noise_schedule, write_toy_base


def write_toy_sd2(folder: Path) -> None:
    """Write the pipeline, the same weights every time."""
    write_toy_base(folder)
    torch.manual_seed(1)
    unet = UNet2DConditionModel(
        sample_size=SIDE // 8,
        block_out_channels=(WIDTH, 2 * WIDTH),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=(2, 4),  # a list, as of all of 2.x
        norm_num_groups=4,
        use_linear_projection=True,
        upcast_attention=True,
    )
    unet.save_pretrained(folder / "unet")
    velocity = type(noise_schedule()).from_config(noise_schedule().config, prediction_type="v_prediction")
    velocity.save_pretrained(folder / "scheduler")
