"""The tiny body network: OpenPose's inputs and outputs, for playroom pictures."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

JOINTS, PAFS = 18, 38  # channels: heat maps without background; x and y of 19 limbs
WIDTH = 96
FOLDER = Path(__file__).parent / "openpose"


class TinyPose(nn.Module):
    """Heat maps and part affinity fields at stride 8, in place of controlnet_aux's `bodypose_model`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 32, 2), _conv(32, 48, 2), _conv(48, 48, 1), _conv(48, WIDTH, 2))
        self.blocks = nn.Sequential(*(Block(WIDTH) for _ in range(8)))
        self.heads = nn.Conv2d(WIDTH, PAFS + JOINTS, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Find joints and limbs.

        Args:
            images: [B, 3, H, W] float32 in [-0.5, 0.5), OpenCV's order of channels; H, W multiples of 8, H about 184.

        Returns:
            paf: [B, 38, H/8, W/8] float32, about [-1, 1], in the channel order of controlnet_aux's `body.py`.
            heatmap: [B, 19, H/8, W/8] float32, about [0, 1]: body-18 joints, then background.
        """
        paf, joints = self.heads(self.blocks(self.stem(images))).split([PAFS, JOINTS], dim=1)
        background = 1 - joints.amax(dim=1, keepdim=True)
        return paf, torch.cat([joints, background], dim=1)


class Block(nn.Module):
    """A wide look at every channel, then a mixing of channels, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, 7, padding=3, groups=width, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.mix = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.ReLU(inplace=True), nn.Conv2d(2 * width, width, 1))

    def forward(self, features: Tensor) -> Tensor:
        """[B, width, h, w] float32 to the same."""
        mixed: Tensor = self.mix(self.norm(self.look(features)))
        return features + mixed


def load_network() -> TinyPose:
    """The trained network, on the CPU."""
    network = TinyPose()
    network.load_state_dict(load_file(FOLDER / "model.safetensors"))
    return network.eval()


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
