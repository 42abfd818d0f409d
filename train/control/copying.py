"""The trainable copy: the encoder half of the locked U-Net, with a hint encoder and zero convolutions."""

import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from manifests.control import ControlSettings
from train.control.hint_encoder import PaperHintEncoder, clear, draw_gaussian


def trainable_copy(
    unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, channels: int = 3
) -> ControlNetModel:
    """Copy the encoder and middle block of `unet`, with a new hint encoder and zero convolutions.

    `settings.start`: "base", or "random": the copy's own weights are drawn as PyTorch and diffusers draw them.

    `settings.connections`: "zero"; or "gaussian": the 1x1 convolutions that lead back to the base are drawn from
    N(0, 1/fan-in), which passes features on in the size they have. As the copy's features are those of the base, what
    is added to a skip is then as large as the skip itself (section 4.2 of the paper, which gives no variance). The
    hint encoder still ends in a zero convolution.

    `settings.hint_encoder`: "released", or "paper". `settings.hint_weights` of the released one: "released", as the
    released code leaves them: PyTorch's default, whose eight layers let less than a thousandth of the hint through at
    first; or "gaussian", as the paper says, with the variance that keeps it (2/fan-in, He et al. 2015). The second
    obeys sooner. The paper's encoder is drawn Gaussian in any case.

    Args:
        unet: the locked U-Net; its weights are copied, not shared.
        seed: decides the weights that are drawn.
        channels: of the hints.

    Returns:
        A float32 ControlNet in training mode; with zero convolutions its control residuals are exactly zero.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        controlnet = ControlNetModel.from_unet(
            unet, load_weights_from_unet=settings.start == "base", conditioning_channels=channels
        )
        if settings.hint_encoder == "paper":
            controlnet.controlnet_cond_embedding = PaperHintEncoder(channels, unet.config.block_out_channels[0])
        elif settings.hint_weights == "gaussian":
            draw_gaussian(controlnet.controlnet_cond_embedding)
            clear(controlnet.controlnet_cond_embedding.conv_out)
        if settings.connections == "gaussian":
            _draw_connections(controlnet, middle_alone=settings.kind == "mid_only")
    controlnet.requires_grad_(True)
    controlnet.train()
    return controlnet


def _draw_connections(controlnet: ControlNetModel, *, middle_alone: bool) -> None:
    """Draw the 1x1 convolutions behind the copy's blocks, in the place of zeros."""
    if not middle_alone:  # the others take no part, and zeros keep them out wherever the weights are read
        draw_gaussian(controlnet.controlnet_down_blocks, gain=1.0)
    draw_gaussian(controlnet.controlnet_mid_block, gain=1.0)
