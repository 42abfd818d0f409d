"""T2I-Adapter: features of the hint alone, added to the locked U-Net's encoder while it runs (Mou et al. 2023)."""

from pathlib import Path

import torch
from diffusers import T2IAdapter, UNet2DConditionModel
from torch import Tensor

from manifests.control import ControlSettings
from train.control.control import Additions, Control
from train.control.joined import any_present, channels, join_hints
from train.control.scale import Scale, overall
from train.control.weights import DIFFUSERS_FILE, State, part, write_weights
from train.text import Text

STRIDE = 8  # pixels per latent cell of every Stable Diffusion; the adapter begins with a PixelUnshuffle by it
XL_BLOCKS = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D")


class Adapter(Control):
    """Diffusers' `T2IAdapter`, whose features neither the noisy latents nor the captions nor the time decide.

    No zero convolution stands behind it: untrained, it changes what the base predicts. As it adds to the encoder,
    gradients pass through all of the U-Net behind its first level.
    """

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = _adapter(unet, channels(conditions))

    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: Scale = 1.0
    ) -> Tensor:
        """See `Control.forward`."""
        features = self.net(join_hints(hints, present).to(self.net.dtype))
        weight = any_present(present) * overall(scale)
        levels = [feature * weight.to(feature.dtype) for feature in features]
        return self.run_unet(noisy, timesteps, text, Additions(levels=levels))

    def passed(self) -> list[torch.nn.Module]:
        """All blocks of the U-Net."""
        return [self.unet.down_blocks, self.unet.mid_block, self.unet.up_blocks]

    def save(self, folder: Path, state: State | None = None) -> None:
        """Write a folder that diffusers' `T2IAdapter.from_pretrained` reads."""
        self.net.save_config(folder)
        write_weights(part(self.state_dict() if state is None else state, "net."), folder / DIFFUSERS_FILE)

    def load(self, folder: Path) -> None:
        """Take over the weights of a T2I-Adapter in diffusers' format."""
        self.net.load_state_dict(T2IAdapter.from_pretrained(folder).state_dict())


def _adapter(unet: UNet2DConditionModel, channels: int) -> T2IAdapter:
    """An adapter whose features fit the levels of `unet`, float32 and trainable."""
    blocks, widths = tuple(unet.config.down_block_types), list(unet.config.block_out_channels)
    if blocks == XL_BLOCKS:
        return T2IAdapter(channels, [*widths, widths[-1]], downscale_factor=2 * STRIDE, adapter_type="full_adapter_xl")
    if "DownBlock2D" in blocks[:-1]:  # to such a level the U-Net adds behind its halving
        raise ValueError(
            f"control.kind: no T2I-Adapter is known for a base of blocks {', '.join(blocks)}. Take another"
        )
    return T2IAdapter(channels, widths, downscale_factor=STRIDE, adapter_type="full_adapter")
