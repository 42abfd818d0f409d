"""FiLM: scales and shifts, made from the hint, on the norms of the locked decoder (Perez et al. 2018)."""

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional

from manifests.control import ControlSettings
from train.control.control import Additions, Control, dtype_of
from train.control.hint_encoder import clear, draw_gaussian, released_encoder
from train.control.joined import any_present, channels, join_hints
from train.control.scale import Scale, overall
from train.control.shell import shell, with_own_modules
from train.control.weights import State, read_own, write_own
from train.text import Text

WIDTH = 128  # channels of the hint's features, on every level


class ModulatedNorm(torch.nn.Module):
    """A norm whose answer h becomes h * (1 + scale) + shift."""

    def __init__(self, norm: torch.nn.GroupNorm) -> None:
        super().__init__()
        self.norm = norm
        self.scale: Tensor | None = None  # [B, C, h, w] floating; set before the U-Net runs
        self.shift: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Normalise and modulate [B, C, h, w] floating."""
        assert self.scale is not None
        assert self.shift is not None
        normal = torch.as_tensor(self.norm(features))
        return normal * (1 + self.scale.to(normal.dtype)) + self.shift.to(normal.dtype)


class Film(Control):
    """Scale and shift for each place and channel behind every GroupNorm of the decoder, zero at first.

    A hint encoder as the released one and a convolution of stride 2 for each further level make features; a zero
    convolution of 1x1 for each norm makes its scale and shift of those of its level.

    The decoder that predicts is made of modules of its own around the locked copy's very weights, with modulated norms
    in it; each finds its scale and shift in itself, put there before the U-Net runs. There are no hooks, so blocks may
    be compiled, recomputed and run by several processes as any others.
    """

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet)
        up_blocks, last = with_own_modules(unet.up_blocks), ModulatedNorm(unet.conv_norm_out)
        levels = [len(up_blocks) - 1 - number for number in range(len(up_blocks))]
        placed = [(norm, level) for block, level in zip(up_blocks, levels, strict=True) for norm in _modulate(block)]
        self._norms = (*placed, (last, 0))  # with the level of each; in a tuple, as they are not trained
        self._held = (shell(unet, {"up_blocks": up_blocks, "conv_norm_out": last}),)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.hint_encoder = released_encoder(channels(conditions), WIDTH)
            self.halvings = torch.nn.ModuleList(
                torch.nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1) for _ in levels[1:]
            )
            draw_gaussian(self)
        self.connections = torch.nn.ModuleList(
            torch.nn.Conv2d(WIDTH, 2 * norm.norm.num_channels, 1) for norm, _ in self._norms
        )
        clear(self.connections)

    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: Scale = 1.0
    ) -> Tensor:
        """See `Control.forward`."""
        dtype = dtype_of(self)
        features = [functional.silu(self.hint_encoder(join_hints(hints, present).to(dtype)))]
        for halving in self.halvings:
            features.append(functional.silu(halving(features[-1])))
        weight = any_present(present).to(dtype) * overall(scale)
        for (norm, level), connection in zip(self._norms, self.connections, strict=True):
            norm.scale, norm.shift = (connection(features[level]) * weight).chunk(2, dim=1)
        return self.run_unet(noisy, timesteps, text, Additions())

    def save(self, folder: Path, state: State | None = None) -> None:
        """Write weights that no class of diffusers reads."""
        write_own(self.state_dict() if state is None else state, folder, kind="film")

    def load(self, folder: Path) -> None:
        """Take over weights that `save` wrote."""
        self.load_state_dict(read_own(folder))


def _modulate(block: torch.nn.Module) -> list[ModulatedNorm]:
    """Put a modulated norm in the place of each GroupNorm within `block`; give them in order."""
    made = []
    for parent in list(block.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.GroupNorm):
                made.append(ModulatedNorm(child))
                setattr(parent, name, made[-1])
    return made
