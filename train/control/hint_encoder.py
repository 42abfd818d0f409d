"""Hint encoders: from a hint in pixels to features of the size of the latents."""

import torch
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from torch import Tensor
from torch.nn import functional

PAPER_WIDTHS = (16, 32, 64, 128)


def released_encoder(channels: int, width: int) -> ControlNetConditioningEmbedding:
    """The released code's: eight convolutions of 3x3 with SiLU, three of stride 2, of which the last begins at zero.

    Args:
        channels: of the hints.
        width: channels of what it makes.
    """
    return ControlNetConditioningEmbedding(width, conditioning_channels=channels)


class PaperHintEncoder(torch.nn.Module):
    """The paper's (section 3.3): four convolutions of 4x4 with ReLU, drawn Gaussian, then a zero convolution.

    The paper has all four at stride 2 and comes from 512 pixels to 64 cells, which is three halvings. Here the fourth
    keeps its size.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = (channels, *PAPER_WIDTHS)
        self.blocks = torch.nn.ModuleList(
            torch.nn.Conv2d(widths[place], widths[place + 1], 4, stride=1 if place == 3 else 2) for place in range(4)
        )
        self.conv_out = torch.nn.Conv2d(widths[-1], width, 1)
        draw_gaussian(self)
        clear(self.conv_out)

    def forward(self, hints: Tensor) -> Tensor:
        """Encode [B, C, H, W] in [0, 1]: [B, width, H/8, W/8]."""
        features = hints
        for convolution in self.blocks:
            after = 2 if convolution.stride == (1, 1) else 1  # an even kernel cannot lie in the middle of a cell
            features = functional.relu(convolution(functional.pad(features, (1, after, 1, after))))
        return torch.as_tensor(self.conv_out(features))


def draw_gaussian(network: torch.nn.Module, *, gain: float = 2.0) -> None:
    """Draw the weights of every convolution anew from N(0, gain/fan-in); biases become zero.

    Args:
        gain: 2 keeps the size of features between rectified layers (He et al. 2015), 1 where nothing rectifies them.
    """
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.normal_(layer.weight, std=(gain / layer.weight[0].numel()) ** 0.5)
            assert layer.bias is not None
            torch.nn.init.zeros_(layer.bias)


def clear(layer: torch.nn.Module) -> None:
    """Make zero convolutions of the convolutions in `layer`."""
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
