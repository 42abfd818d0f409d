"""A control: what is trained beside the locked copy, and how the two predict together."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from train.text import Text


class Control(torch.nn.Module, ABC):
    """A network under training with the locked U-Net in its hand.

    Its parameters and its state are of what is trained alone: the locked copy is held, not owned, so that optimisers,
    processes and checkpoints never meet it.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self._held = (unet,)  # in a tuple, where torch does not look for parameters

    @property
    def unet(self) -> UNet2DConditionModel:
        """The U-Net that predicts: the locked copy, or a copy of it some of whose blocks are trained."""
        return self._held[0]

    @abstractmethod
    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: float = 1.0
    ) -> Tensor:
        """Predict the noise (or velocity) under the hints.

        Args:
            noisy: [B, C, h, w] float32 noised latents.
            timesteps: [B] int64 in [0, 1000).
            text: the encoded captions.
            hints: [B, K, 3, H, W] float32 in [0, 1], one for each condition of the manifest.
            present: [B, K] float32 in {0, 1}; 0 where a sample lacks a condition, whose hint then has no say.
            scale: what the control adds is multiplied by this.

        Returns:
            [B, C, h, w] float32.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the trained weights into `folder`, in diffusers' format where diffusers has one."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Take over weights that `save` wrote."""

    def run_unet(self, noisy: Tensor, timesteps: Tensor, text: Text, **additions: Any) -> Tensor:
        """Run the U-Net in the dtype of its weights, whatever autocast lies around the control.

        Args:
            noisy: [B, C, h, w] floating.
            timesteps: [B] int64.
            text: the encoded captions.
            additions: residuals as `UNet2DConditionModel.forward` names them; tensors or lists of them.

        Returns:
            [B, C, h, w] float32: the U-Net's prediction.
        """
        dtype = self.unet.dtype
        with torch.autocast(noisy.device.type, enabled=False):
            answer = self.unet(
                noisy.to(dtype), timesteps, **text.of(dtype), **{k: _of(v, dtype) for k, v in additions.items()}
            ).sample
        return torch.as_tensor(answer).float()


def _of(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if isinstance(value, Tensor) else [tensor.to(dtype) for tensor in value]
