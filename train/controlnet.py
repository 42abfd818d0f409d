"""The trainable copy: the encoder half of the locked U-Net, joined to it by zero convolutions."""

from pathlib import Path
from typing import Literal

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor

HintWeights = Literal["released", "gaussian"]


def trainable_copy(unet: UNet2DConditionModel, *, seed: int, hint_weights: HintWeights = "released") -> ControlNetModel:
    """Copy the encoder and middle block of `unet`, with a new hint encoder and zero convolutions.

    Args:
        unet: the locked U-Net; its weights are copied, not shared.
        seed: decides the hint encoder's first weights, the only ones that are drawn.
        hint_weights: "released", as the released code leaves them: PyTorch's default, whose eight layers let less than
            a thousandth of the hint through at first; or "gaussian", as the paper says, with the variance that keeps it
            (2/fan-in, He et al. 2015). The second obeys sooner.

    Returns:
        A float32 ControlNet in training mode whose control residuals are exactly zero.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        controlnet = ControlNetModel.from_unet(unet)
        if hint_weights == "gaussian":
            _draw_gaussian(controlnet.controlnet_cond_embedding)
    controlnet.requires_grad_(True)
    controlnet.train()
    return controlnet


def _draw_gaussian(hint_encoder: torch.nn.Module) -> None:
    """Draw every layer's weights anew but the last's, which is a zero convolution."""
    for name, layer in hint_encoder.named_modules():
        if isinstance(layer, torch.nn.Conv2d) and name != "conv_out":
            torch.nn.init.kaiming_normal_(layer.weight)
            assert layer.bias is not None
            torch.nn.init.zeros_(layer.bias)


def rounded_copy(controlnet: ControlNetModel, dtype: torch.dtype) -> ControlNetModel:
    """Copy a ControlNet in evaluation mode, its weights rounded to `dtype`, to draw with beside a locked copy of it."""
    with torch.device("meta"):
        copy = ControlNetModel.from_config(controlnet.config)
    weights = {name: weight.detach().to(dtype, copy=True) for name, weight in controlnet.state_dict().items()}
    copy.load_state_dict(weights, assign=True)
    copy.requires_grad_(False)
    copy.eval()
    return copy


def load_controlnet(folder: Path) -> ControlNetModel:
    """Read a trained ControlNet in diffusers format, in evaluation mode on the CPU."""
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"{folder}: no ControlNet here. Finish its run first: add --resume to the command that began it"
        )
    controlnet = ControlNetModel.from_pretrained(folder)
    controlnet.eval()
    return controlnet


def predict(
    unet: UNet2DConditionModel,
    controlnet: torch.nn.Module,
    noisy: Tensor,
    timesteps: Tensor,
    text: Tensor,
    *,
    hint: Tensor,
) -> Tensor:
    """Run the locked copy with the control residuals of the trainable one added to its skips.

    Args:
        noisy: [B, C, h, w] float32 noised latents.
        timesteps: [B] int64 in [0, 1000).
        text: [B, T, D] encoded captions.
        hint: [B, 3, H, W] float32 in [0, 1].

    Returns:
        [B, C, h, w] the U-Net's prediction, float32.
    """
    # The trainable copy keeps float32 weights, and accelerate's autocast lies around it alone; the locked copy computes
    # in the dtype its weights were rounded to.
    down, middle = controlnet(
        noisy, timesteps, encoder_hidden_states=text.float(), controlnet_cond=hint, return_dict=False
    )
    prediction = unet(
        noisy.to(unet.dtype),
        timesteps,
        encoder_hidden_states=text.to(unet.dtype),
        down_block_additional_residuals=[residual.to(unet.dtype) for residual in down],
        mid_block_additional_residual=middle.to(unet.dtype),
        return_dict=False,
    )[0]
    return torch.as_tensor(prediction).float()
