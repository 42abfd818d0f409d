"""Unlocked decoder: a ControlNet beside which the base's own decoder is trained too, at a rate of its own."""

import copy
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

from manifests.control import ControlSettings
from manifests.train_settings import TrainSettings
from train.control.control import Group, trained
from train.control.controlnet import ControlNet
from train.control.shell import shell
from train.control.weights import State, part, write_weights

DECODER_FILE = "decoder.safetensors"  # of the base's decoder, named as in diffusers' U-Net
DECODER = ("up_blocks", "conv_norm_out", "conv_out")


class UnlockedDecoder(ControlNet):
    """The released code's `sd_locked=False`: its output blocks and its last layers are trained, and nothing else of it.

    The decoder is a float32 copy; the locked copy, whose encoder, middle block and embeddings it goes on to share,
    stays as it is. It is a copy of weights as they are now, so it should be made before those are rounded.
    """

    trains_unet = True

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet, settings, seed=seed, conditions=conditions)
        self.decoder = torch.nn.ModuleDict({name: copy.deepcopy(getattr(unet, name)).float() for name in DECODER})
        self.decoder.requires_grad_(True)
        self._held = (shell(unet, dict(self.decoder.items())),)

    def parameter_groups(self, settings: TrainSettings) -> list[Group]:
        """The ControlNet, and the decoder at `settings.unlocked_learning_rate`."""
        control = [parameter for net in self.nets for parameter in trained(net)]
        decoder = list(trained(self.decoder))
        return [
            Group(params=control, lr=settings.learning_rate),
            Group(params=decoder, lr=settings.unlocked_learning_rate),
        ]

    def save(self, folder: Path, state: State | None = None) -> None:
        """Write the ControlNet in diffusers' format, and beside it the decoder's weights."""
        state = self.state_dict() if state is None else state
        super().save(folder, state)
        write_weights(part(state, "decoder."), folder / DECODER_FILE)

    def load(self, folder: Path) -> None:
        """Take over both."""
        super().load(folder)
        self.decoder.load_state_dict(load_file(folder / DECODER_FILE))
