"""ControlNet: a trainable copy of the locked U-Net's encoder, whose residuals are added to its skips."""

from pathlib import Path

from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor

from manifests.control import ControlSettings
from train.control.control import Control
from train.control.copying import trainable_copy
from train.text import Text


class ControlNet(Control):
    """One trainable copy (Fig. 3 of the paper), in diffusers' own class."""

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int) -> None:
        super().__init__(unet)
        self.net: ControlNetModel = trainable_copy(unet, settings, seed=seed)

    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: float = 1.0
    ) -> Tensor:
        """See `Control.forward`; K is 1."""
        down, middle = self.net(
            noisy.to(self.net.dtype),
            timesteps,
            **text.of(self.net.dtype),
            controlnet_cond=hints[:, 0].to(self.net.dtype),
            conditioning_scale=scale,
            return_dict=False,
        )
        shown = present[:, 0, None, None, None].to(middle.dtype)
        return self.run_unet(
            noisy,
            timesteps,
            text,
            down_block_additional_residuals=[residual * shown for residual in down],
            mid_block_additional_residual=middle * shown,
        )

    def save(self, folder: Path) -> None:
        """Write a folder that diffusers' `ControlNetModel.from_pretrained` reads."""
        self.net.save_pretrained(folder)

    def load(self, folder: Path) -> None:
        """Take over the weights of a ControlNet in diffusers' format."""
        self.net.load_state_dict(ControlNetModel.from_pretrained(folder).state_dict())
