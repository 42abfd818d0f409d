"""ControlNet: a trainable copy of the locked U-Net's encoder, whose residuals are added to its skips."""

from pathlib import Path

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor

from manifests.control import ControlSettings
from train.control.control import Additions, Control
from train.control.copying import trainable_copy
from train.control.hint_encoder import PaperHintEncoder
from train.control.joined import any_present, channels, join_hints
from train.control.scale import Scale, at_places
from train.control.weights import DIFFUSERS_FILE, OWN_FILE, State, part, read_own, write_own, write_weights
from train.text import Text

Residuals = tuple[list[Tensor], Tensor]  # to every skip, and after the middle block


class ControlNet(Control):
    """Trainable copies (Fig. 3 of the paper) in diffusers' own class.

    Of several conditions each has a copy, and what they add is summed; or one copy reads all of them as a picture of
    many channels (`joining`).
    """

    def __init__(self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int) -> None:
        super().__init__(unet)
        self._joins = settings.joining == "concat"
        each = channels(conditions) if self._joins else 3
        self.net: ControlNetModel = trainable_copy(unet, settings, seed=seed, channels=each)
        self.further = torch.nn.ModuleList(
            trainable_copy(unet, settings, seed=seed + number, channels=each)
            for number in range(1, 1 if self._joins else conditions)
        )

    @property
    def nets(self) -> list[ControlNetModel]:
        """The copies, in the order of the conditions that they read."""
        return [self.net, *self.further]

    def forward(
        self, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor, present: Tensor, scale: Scale = 1.0
    ) -> Tensor:
        """See `Control.forward`."""
        if self._joins:
            residuals = [self._residuals(self.net, noisy, timesteps, text, join_hints(hints, present))]
            shown = any_present(present)[None]
        else:
            pairs = zip(self.nets, hints.unbind(1), strict=True)
            residuals = [self._residuals(net, noisy, timesteps, text, hint) for net, hint in pairs]
            shown = present.t()[:, :, None, None, None]
        down, middle = _summed(residuals, shown, scale)
        return self.run_unet(noisy, timesteps, text, Additions(skips=down, middle=middle))

    def _residuals(
        self, net: ControlNetModel, noisy: Tensor, timesteps: Tensor, text: Text, hints: Tensor
    ) -> Residuals:
        """What one copy says of joined or single hints."""
        down, middle = net(
            noisy.to(net.dtype),
            timesteps,
            **text.of(net.dtype),
            controlnet_cond=hints.to(net.dtype),
            return_dict=False,
        )
        return down, middle

    def save(self, folder: Path, state: State | None = None) -> None:
        """Write a folder that diffusers' `ControlNetModel.from_pretrained` reads; further ones lie within it."""
        state = self.state_dict() if state is None else state
        for net, prefix, place in self._places(folder):
            if isinstance(net.controlnet_cond_embedding, PaperHintEncoder):
                write_own(part(state, prefix), place, kind="controlnet")
            else:
                net.save_config(place)
                write_weights(part(state, prefix), place / DIFFUSERS_FILE)

    def load(self, folder: Path) -> None:
        """Take over the weights of ControlNets in diffusers' format, or in our own where theirs has none."""
        for net, _, place in self._places(folder):
            own = (place / OWN_FILE).is_file()
            net.load_state_dict(read_own(place) if own else ControlNetModel.from_pretrained(place).state_dict())

    def _places(self, folder: Path) -> list[tuple[ControlNetModel, str, Path]]:
        """Every copy, how the names of its weights begin, and where it is written."""
        further = [(net, f"further.{at}.", folder / f"condition-{at + 2}") for at, net in enumerate(self.further)]
        return [(self.net, "net.", folder), *further]


def _summed(residuals: list[Residuals], shown: Tensor, scale: Scale) -> Residuals:
    """Weigh what each copy says by `shown` [K, B, 1, 1, 1] and by the scale, and add it up."""
    factors = at_places(scale, len(residuals[0][0]) + 1)
    weighed = [
        [
            residual * (weight * factor).to(residual.dtype)
            for residual, factor in zip((*down, middle), factors, strict=True)
        ]
        for (down, middle), weight in zip(residuals, shown, strict=True)
    ]
    *skips, middle = [sum(rest, first) for first, *rest in zip(*weighed, strict=True)]
    return skips, middle
