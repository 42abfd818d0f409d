"""ControlNet-lite: a convolution in the place of each block of the trainable copy, trained from scratch."""

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional

from manifests.control import ControlSettings
from train.control.control import Additions, Control, dtype_of
from train.control.hint_encoder import clear, draw_gaussian, released_encoder
from train.control.joined import any_present, channels, join_hints
from train.control.scale import Scale, at_places
from train.control.weights import State, read_own, write_own
from train.text import Text


class Lite(Control):
    """Section 4.2 of the paper: what the depth and the weights of the copy are worth.

    Noisy latents and hint go in as in a ControlNet and residuals come out in the same places, through zero
    convolutions. Captions and time have no way in. Convolutions are of 3x3 with SiLU, of stride 2 where the base
    halves; they are drawn from N(0, 2/fan-in), as nothing normalises what passes through them.
    """

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet)
        shapes = _shapes(unet)
        width = shapes[0][1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.hint_encoder = released_encoder(channels(conditions), width)
            self.blocks = torch.nn.ModuleList(
                torch.nn.Conv2d(before, after, 3, stride=stride, padding=1) for before, after, stride in shapes
            )
            self.connections = torch.nn.ModuleList(torch.nn.Conv2d(after, after, 1) for _, after, _ in shapes)
            draw_gaussian(self)
        clear(self.hint_encoder.conv_out)
        clear(self.connections)

    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: Scale = 1.0
    ) -> Tensor:
        """See `Control.forward`."""
        dtype = dtype_of(self)
        shown, factors = any_present(present), at_places(scale, len(self.connections))
        weights = [(shown * factor).to(dtype) for factor in factors]
        features = self.blocks[0](noisy.to(dtype)) + self.hint_encoder(join_hints(hints, present).to(dtype))
        residuals = [self.connections[0](features) * weights[0]]
        for block, connection, weight in zip(self.blocks[1:], self.connections[1:], weights[1:], strict=True):
            features = functional.silu(block(features))
            residuals.append(connection(features) * weight)
        *skips, middle = residuals
        return self.run_unet(noisy, timesteps, text, Additions(skips=skips, middle=middle))

    def save(self, folder: Path, state: State | None = None) -> None:
        """Write weights that no class of diffusers reads."""
        write_own(self.state_dict() if state is None else state, folder, kind="lite")

    def load(self, folder: Path) -> None:
        """Take over weights that `save` wrote."""
        self.load_state_dict(read_own(folder))


def _shapes(unet: UNet2DConditionModel) -> list[tuple[int, int, int]]:
    """Channels in, channels out and stride of what makes each skip of the U-Net, and of its middle block."""
    widths, layers = list(unet.config.block_out_channels), unet.config.layers_per_block
    counts = [layers] * len(widths) if isinstance(layers, int) else list(layers)
    shapes, before = [(int(unet.config.in_channels), int(widths[0]), 1)], int(widths[0])
    for level, (width, count) in enumerate(zip(widths, counts, strict=True)):
        for _ in range(count):
            shapes.append((before, width, 1))
            before = width
        if level < len(widths) - 1:
            shapes.append((width, width, 2))
    return [*shapes, (before, before, 1)]
