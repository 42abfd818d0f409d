"""bfloat16 for the body of a network, float32 for the head whose output is quantised or cut by a threshold."""

from typing import Literal

import torch
from torch import Tensor, nn

Precision = Literal["fp32", "bf16"]


def rounded(device: torch.device, precision: Precision) -> torch.autocast:
    """A context in which a network's convolutions run at that precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


class InFloat32(nn.Module):
    """A part that runs in float32, whatever runs around it."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, features: Tensor) -> Tensor:
        """Features of any float type to float32."""
        with torch.autocast(features.device.type, enabled=False):
            result: Tensor = self.part(features.float())
        return result
