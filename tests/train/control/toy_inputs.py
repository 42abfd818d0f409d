"""What a control of the toy base is given in tests."""

import torch
from torch import Tensor

from train.base import Base
from train.control.control import Control
from train.text import Text

Inputs = tuple[Tensor, Tensor, Text, Tensor, Tensor]


def inputs(base: Base, *, conditions: int = 1) -> Inputs:
    """Two samples: noisy latents, timesteps, text, hints [2, K, 3, 32, 32] and which of these there are."""
    generator = torch.Generator().manual_seed(0)
    noisy = torch.randn((2, *base.latent_shape(32)), generator=generator)
    text = torch.randn((2, 12, base.unet.config.cross_attention_dim), generator=generator)
    hints = torch.rand((2, conditions, 3, 32, 32), generator=generator)
    return noisy, torch.tensor([10, 700]), Text(text), hints, torch.ones(2, conditions)


@torch.no_grad()
def base_alone(base: Base) -> Tensor:
    """What the locked copy predicts for the same samples: [2, 4, 4, 4] float32."""
    noisy, timesteps, text, *_ = inputs(base)
    return torch.as_tensor(base.unet(noisy, timesteps, **text.of(torch.float32)).sample)


@torch.no_grad()
def stir(control: Control) -> Control:
    """Move every trained weight by its own random amount, so that nothing is zero any more."""
    generator = torch.Generator().manual_seed(1)
    for parameter in control.parameters():
        if parameter.requires_grad:
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return control
