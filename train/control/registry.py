"""Every kind of control: to add one, write its file and its line here, and its name in manifests/control.py."""

import json
from pathlib import Path
from typing import Protocol

from diffusers import UNet2DConditionModel

from manifests.control import ControlSettings
from manifests.storage import replace_text
from train.control.concat import Concat
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.film import Film
from train.control.initial import SETTINGS_FILE, check_initial, load_initial, read_settings
from train.control.lite import Lite
from train.control.mid_only import MidOnly
from train.control.t2i_adapter import Adapter
from train.control.unlocked_decoder import UnlockedDecoder
from train.control.weights import CONFIG_FILE, State

SUMMING = ("controlnet", "mid_only", "unlocked_decoder")  # kinds that can have a net for each of several conditions
OF_COPIES = ("start", "connections", "hint_encoder")  # settings of a ControlNet, a copy of the base, alone
WEIGHED = (*SUMMING, "lite")  # kinds that add a residual to each skip, which may have a factor of its own


class Build(Protocol):
    """Makes an untrained control of its kind."""

    def __call__(
        self, unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int
    ) -> Control: ...


CONTROLS: dict[str, Build] = {
    "controlnet": ControlNet,
    "mid_only": MidOnly,
    "unlocked_decoder": UnlockedDecoder,
    "lite": Lite,
    "t2i_adapter": Adapter,
    "film": Film,
    "concat": Concat,
}


def build_control(unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int, conditions: int = 1) -> Control:
    """Make a control for `unet`, which it holds and leaves as it is: untrained, or with weights to go on from.

    Args:
        unet: in float32, for some controls copy weights of it that they train.
        seed: decides the first weights that are drawn.
        conditions: how many hints a sample has.

    Returns:
        In training mode, float32, on the U-Net's device.

    Raises:
        ValueError: this kind has no net for each of several conditions, or the weights to go on from are not to be had,
            or not of such a control.
    """
    if conditions > 1 and settings.joining == "sum" and settings.kind not in SUMMING:
        raise ValueError(
            f"control.joining: '{settings.kind}' has no net for each of {conditions} conditions, whose answers could "
            "be summed. Set control.joining=concat: one net then reads all the hints"
        )
    if settings.kind not in SUMMING:
        _refuse_of_copies(settings)
    control = CONTROLS[settings.kind](unet, settings, seed=seed, conditions=conditions)
    if settings.initial:
        if not isinstance(control, ControlNet):
            raise ValueError(f"control.initial: a control of kind {settings.kind} has no ControlNet to go on from")
        check_initial(settings)
        load_initial(control.net, settings.initial)
        if isinstance(control, MidOnly):
            control.silence()
    control.train()
    return control


def _refuse_of_copies(settings: ControlSettings) -> None:
    """Refuse, of a control that copies nothing of the base, what says how a copy begins."""
    for name in OF_COPIES:
        if getattr(settings, name) != ControlSettings.model_fields[name].default:
            raise ValueError(
                f"control.{name}: a control of kind '{settings.kind}' copies nothing of the base, and has no use for "
                "it. Leave it out"
            )


def save_control(
    control: Control, settings: ControlSettings, folder: Path, *, conditions: int = 1, state: State | None = None
) -> None:
    """Write a control's weights, and what makes it again.

    Args:
        state: the weights to write instead of the control's own; see `Control.save`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    control.save(folder, state)
    described = {**settings.model_dump(mode="json"), "conditions": conditions}
    replace_text(json.dumps(described, indent=2) + "\n", folder / SETTINGS_FILE)


def load_control(folder: Path, unet: UNet2DConditionModel) -> Control:
    """Read a trained control, in evaluation mode on the CPU.

    Args:
        unet: of the base it was trained on; held, and left as it is.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise ValueError(f"{folder}: no control here. Finish its run first: add --resume to the command that began it")
    settings, conditions = read_settings(folder)
    control = build_control(unet, settings, seed=0, conditions=conditions)
    control.load(folder)
    control.requires_grad_(False)
    control.eval()
    return control
