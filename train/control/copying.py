"""The trainable copy: the encoder half of the locked U-Net, with a hint encoder and zero convolutions."""

import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from manifests.control import ControlSettings


def trainable_copy(unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int) -> ControlNetModel:
    """Copy the encoder and middle block of `unet`, with a new hint encoder and zero convolutions.

    `settings.hint_weights`: "released", as the released code leaves them: PyTorch's default, whose eight layers let
    less than a thousandth of the hint through at first; or "gaussian", as the paper says, with the variance that keeps
    it (2/fan-in, He et al. 2015). The second obeys sooner.

    Args:
        unet: the locked U-Net; its weights are copied, not shared.
        seed: decides the hint encoder's first weights, the only ones that are drawn.

    Returns:
        A float32 ControlNet in training mode whose control residuals are exactly zero.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        controlnet = ControlNetModel.from_unet(unet)
        if settings.hint_weights == "gaussian":
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
