"""Concatenation: the whole U-Net is fine-tuned, with the hint's features beside the latents it reads."""

import copy
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor

from manifests.control import ControlSettings
from train.control.control import Additions, Control, dtype_of
from train.control.hint_encoder import draw_gaussian, released_encoder
from train.control.joined import any_present, channels, join_hints
from train.control.scale import Scale, overall
from train.control.weights import DIFFUSERS_FILE, State, part, write_weights
from train.text import Text

HINT_CHANNELS = 32  # of the hint's features, beside the latents' 4
HINT_FILE = "hint_encoder.safetensors"


class Concat(Control):
    """A float32 copy of the U-Net with more input channels, whose weights begin at zero: an identity at first.

    It is what the lock is compared with: nothing of the base is kept. The copy is of weights as they are now, so it
    should be made before those are rounded.
    """

    trains_unet = True

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet)
        self.net: UNet2DConditionModel = copy.deepcopy(unet).float()
        self.net.conv_in = _widened(self.net.conv_in, HINT_CHANNELS)
        self.net.register_to_config(in_channels=self.net.conv_in.in_channels)
        self.net.requires_grad_(True)
        self._held = (self.net,)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.hint_encoder = released_encoder(channels(conditions), HINT_CHANNELS)
            draw_gaussian(self.hint_encoder)

    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: Scale = 1.0
    ) -> Tensor:
        """See `Control.forward`; without its hint a sample is predicted by what the base has become."""
        dtype = dtype_of(self)
        features = self.hint_encoder(join_hints(hints, present).to(dtype))
        seen = features * (any_present(present) * overall(scale)).to(features.dtype)
        return self.run_unet(torch.cat([noisy.to(seen.dtype), seen], dim=1), timesteps, text, Additions())

    def save(self, folder: Path, state: State | None = None) -> None:
        """Write a folder that diffusers' `UNet2DConditionModel.from_pretrained` reads, and the hint encoder beside."""
        state = self.state_dict() if state is None else state
        self.net.save_config(folder)
        write_weights(part(state, "net."), folder / DIFFUSERS_FILE)
        write_weights(part(state, "hint_encoder."), folder / HINT_FILE)

    def load(self, folder: Path) -> None:
        """Take over both."""
        self.net.load_state_dict(UNet2DConditionModel.from_pretrained(folder).state_dict())
        self.hint_encoder.load_state_dict(load_file(folder / HINT_FILE))


def _widened(convolution: torch.nn.Conv2d, more: int) -> torch.nn.Conv2d:
    """The same convolution with `more` input channels, to which its weights are zero."""
    wide = torch.nn.Conv2d(
        convolution.in_channels + more, convolution.out_channels, convolution.weight.shape[-1], padding="same"
    ).to(convolution.weight.device)
    with torch.no_grad():
        wide.weight.zero_()
        wide.weight[:, : convolution.in_channels] = convolution.weight
        assert wide.bias is not None
        assert convolution.bias is not None
        wide.bias.copy_(convolution.bias)
    return wide
