"""HED soft edges (Xie & Tu 2015): the network and weights of controlnet_aux's HEDdetector, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.weights import fill, load_weights
from manifests.condition import Kind

WEIGHTS = "ControlNetHED.pth"
LIKELY = 128  # of 255: more likely an edge than not


@dataclass(frozen=True)
class Hed(Annotator):
    """Probability of an edge at each pixel, as 8 bits."""

    name: ClassVar[str] = "hed"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "soft"

    safe: bool = False  # three levels only, which hide less of the picture in the map (ControlNet 1.1's "safe")

    @property
    def weights(self) -> tuple[str, ...]:
        """One file."""
        return (WEIGHTS,)

    def load(self, device: torch.device) -> Annotate:
        """Put the network on `device`."""
        network = fill(Network(), load_weights(WEIGHTS), WEIGHTS).to(device).to(memory_format=torch.channels_last)
        return partial(annotate, network=network, safe=self.safe)

    def empty(self, condition: NDArray[np.uint8]) -> bool:
        """No pixel is more likely an edge than not."""
        return int(condition.max()) < LIKELY


class Block(nn.Module):
    """Convolutions at one scale, then a projection to one channel of logits."""

    def __init__(self, inputs: int, outputs: int, layers: int) -> None:
        super().__init__()
        widths = [inputs] + [outputs] * layers
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.projection = nn.Conv2d(outputs, 1, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, inputs, h, w] float32 to features [B, outputs, h, w] and logits [B, 1, h, w]."""
        for conv in self.convs:
            features = functional.relu(conv(features), inplace=True)
        return features, self.projection(features)


class Network(nn.Module):
    """ControlNetHED_Apache2, under the same parameter names."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.block1 = Block(3, 64, 2)
        self.block2 = Block(64, 128, 2)
        self.block3 = Block(128, 256, 3)
        self.block4 = Block(256, 512, 3)
        self.block5 = Block(512, 512, 3)

    def forward(self, images: Tensor) -> Tensor:
        """Edge logits.

        Args:
            images: [B, 3, H, W] float32 in [0, 255], RGB.

        Returns:
            [B, H, W] float32: the mean of five side outputs, each resized to H x W.
        """
        features, total = images - self.norm, torch.zeros((), device=images.device)
        for number, block in enumerate((self.block1, self.block2, self.block3, self.block4, self.block5)):
            features, logits = block(functional.max_pool2d(features, 2) if number else features)
            total = total + functional.interpolate(logits, images.shape[-2:], mode="bilinear", align_corners=False)
        return total[:, 0] / 5


@torch.inference_mode()
def annotate(
    images: NDArray[np.uint8], parameters: Sequence[Parameters], *, network: Network, safe: bool
) -> list[NDArray[np.uint8]]:
    """Soft edges of pictures [B, H, W, 3] uint8 RGB: B maps [H, W] uint8, 255 a sure edge."""
    device = network.norm.device
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float()
    probability = torch.sigmoid(network(pixels.contiguous(memory_format=torch.channels_last)).double())
    if safe:
        probability = torch.trunc(probability.float() * 3) / 2  # controlnet_aux's safe_step
    maps = (probability * 255).clamp(0, 255).to(torch.uint8).cpu().numpy()
    return list(maps)
