"""Mid-only: a ControlNet that speaks after the middle block alone."""

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor

from manifests.control import ControlSettings
from train.control.controlnet import ControlNet, Residuals
from train.control.hint_encoder import clear
from train.control.shell import shell
from train.text import Text


class MidOnly(ControlNet):
    """The released code's `only_mid_control`, from the first step.

    The zero convolutions behind the encoder's blocks are frozen at zero, and not run. So what is saved is a whole
    ControlNet to anyone who reads it.
    """

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet, settings, seed=seed, conditions=conditions)
        for net in self.nets:
            net.controlnet_down_blocks.requires_grad_(False)
        self.silence()

    def silence(self) -> None:
        """Set at zero what does not run, whatever the weights that this goes on from have there."""
        for net in self.nets:
            clear(net.controlnet_down_blocks)

    def _residuals(
        self, net: ControlNetModel, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor
    ) -> Residuals:
        """The middle block's residual; to every skip, of which the U-Net wants one each, a zero."""
        silent = shell(net, {"controlnet_down_blocks": torch.nn.ModuleList()})
        _, middle = super()._residuals(silent, noisy, timesteps, text, hints)
        return [middle.new_zeros(1, 1, 1, 1) for _ in net.controlnet_down_blocks], middle
