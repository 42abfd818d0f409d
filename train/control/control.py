"""A control: what is trained beside the locked copy, and how the two predict together."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypedDict

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from manifests.train_settings import TrainSettings
from train.control.recomputing import recompute_blocks
from train.control.scale import Scale
from train.text import Text

Recompute = Literal["no", "control", "all"]


class Group(TypedDict):
    """Parameters that share a learning rate, as PyTorch's optimisers take them."""

    params: list[torch.nn.Parameter]
    lr: float


@dataclass(frozen=True)
class Additions:
    """What a control adds to the U-Net's activations; of what is not named nothing is added."""

    skips: Sequence[Tensor] | None = None  # [B, C, h, w] each, or what broadcasts to it: to every skip of the encoder
    middle: Tensor | None = None  # the same, after the middle block; given if and only if `skips` are
    levels: Sequence[Tensor] | None = None  # the same, to each level of the encoder while it runs

    def of(self, dtype: torch.dtype) -> dict[str, object]:
        """The arguments of diffusers' U-Net."""
        named: dict[str, object] = {}
        if self.skips is not None and self.middle is not None:
            named["down_block_additional_residuals"] = [tensor.to(dtype) for tensor in self.skips]
            named["mid_block_additional_residual"] = self.middle.to(dtype)
        if self.levels is not None:
            named["down_intrablock_additional_residuals"] = [tensor.to(dtype) for tensor in self.levels]
        return named


class Control(torch.nn.Module, ABC):
    """A network under training with the locked U-Net in its hand.

    Its parameters and its state are of what is trained alone: the locked copy is held, not owned, so that optimisers,
    processes and checkpoints never meet it. Parameters that take no part ask for no gradient.
    """

    trains_unet: ClassVar[bool] = False  # whether weights of the U-Net that predicts are trained

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self._held = (unet,)  # in a tuple, where torch does not look for parameters

    @property
    def unet(self) -> UNet2DConditionModel:
        """The U-Net that predicts: the locked copy, or one some of whose blocks are others."""
        return self._held[0]

    @abstractmethod
    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: Scale = 1.0
    ) -> Tensor:
        """Predict the noise (or velocity) under the hints.

        Args:
            noisy: [B, C, h, w] float32 noised latents.
            timesteps: [B] int64 in [0, 1000).
            text: the encoded captions.
            hints: [B, K, 3, H, W] float32 in [0, 1], one for each condition of the manifest.
            present: [B, K] float32 in {0, 1}; 0 where a sample lacks a condition, whose hint then has no say.
            scale: what the control adds is multiplied by this; several factors only for kinds of `WEIGHED`.

        Returns:
            [B, C, h, w] float32.
        """

    @abstractmethod
    def save(self, folder: Path, state: dict[str, Tensor] | None = None) -> None:
        """Write the trained weights into `folder`, in diffusers' format where diffusers has one.

        Args:
            state: the weights to write, named as `state_dict` names them: gathered from several processes, or averaged
                over time; by default those of this process.
        """

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Take over weights that `save` wrote."""

    def parameter_groups(self, settings: TrainSettings) -> list[Group]:
        """What an optimiser trains, and how fast."""
        return [Group(params=list(trained(self)), lr=settings.learning_rate)]

    def recompute(self, which: Recompute) -> None:
        """Choose whose activations are computed again in the backward pass, instead of being kept.

        Args:
            which: "no"; "control": of what is trained; "all": of the locked blocks that gradients pass through, too.
        """
        for block in self.passed():
            recompute_blocks(block, on=which == "all")
        recompute_blocks(self, on=which != "no")

    def passed(self) -> list[torch.nn.Module]:
        """The U-Net's blocks that gradients pass through: its decoder."""
        return [self.unet.up_blocks]

    def run_unet(self, noisy: Tensor, timesteps: Tensor, text: Text, additions: Additions) -> Tensor:
        """Run the U-Net: locked, in the dtype of its weights, whatever autocast lies around the control.

        Where some of it is trained, in float32, autocast stays as it is, for it decides what these weights count in.

        Args:
            noisy: [B, C, h, w] floating.
            timesteps: [B] int64.
            text: the encoded captions.

        Returns:
            [B, C, h, w] float32: the U-Net's prediction.
        """
        dtype = self.unet.conv_in.weight.dtype
        with nullcontext() if self.trains_unet else _without_autocast(noisy.device.type):
            answer = self.unet(noisy.to(dtype), timesteps, **text.of(dtype), **additions.of(dtype)).sample
        return torch.as_tensor(answer).float()


def _without_autocast(device: str) -> AbstractContextManager[None]:
    known = torch.amp.is_autocast_available(device)  # it is not on the meta device, where costs are counted
    return torch.autocast(device, enabled=False) if known else nullcontext()


def dtype_of(module: torch.nn.Module) -> torch.dtype:
    """The precision of its weights, which are all of one."""
    return next(module.parameters()).dtype


def trained(module: torch.nn.Module) -> Iterator[torch.nn.Parameter]:
    """The parameters that ask for a gradient."""
    return (parameter for parameter in module.parameters() if parameter.requires_grad)
