"""Every kind of control: to add one, write its file and its line here, and its name in manifests/control.py."""

import json
from collections.abc import Callable
from pathlib import Path

from diffusers import UNet2DConditionModel

from manifests.control import ControlSettings
from manifests.storage import replace_text
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.initial import SETTINGS_FILE, load_initial

CONTROLS: dict[str, Callable[..., Control]] = {"controlnet": ControlNet}


def build_control(unet: UNet2DConditionModel, settings: ControlSettings, *, seed: int) -> Control:
    """Make a control for `unet`, which it holds and leaves as it is: untrained, or with weights to go on from.

    Args:
        seed: decides the first weights that are drawn.

    Returns:
        In training mode, float32, on the CPU.

    Raises:
        ValueError: the initial weights are not to be had, or not of such a control.
    """
    control = CONTROLS[settings.kind](unet, settings, seed=seed)
    if settings.initial:
        if not isinstance(control, ControlNet):
            raise ValueError(f"control.initial: a control of kind {settings.kind} has no ControlNet to go on from")
        load_initial(control.net, settings.initial)
    control.train()
    return control


def save_control(control: Control, settings: ControlSettings, folder: Path) -> None:
    """Write a control's weights, and what makes it again."""
    folder.mkdir(parents=True, exist_ok=True)
    control.save(folder)
    replace_text(json.dumps(settings.model_dump(mode="json"), indent=2) + "\n", folder / SETTINGS_FILE)


def load_control(folder: Path, unet: UNet2DConditionModel) -> Control:
    """Read a trained control, in evaluation mode on the CPU.

    Args:
        unet: of the base it was trained on; held, and left as it is.
    """
    if not (folder / "config.json").is_file():
        raise ValueError(f"{folder}: no control here. Finish its run first: add --resume to the command that began it")
    described = folder / SETTINGS_FILE
    settings = ControlSettings(**json.loads(described.read_text())) if described.is_file() else ControlSettings()
    # What it went on from may be gone by now, and is overwritten anyway.
    control = build_control(unet, settings.model_copy(update={"initial": ""}), seed=0)
    control.load(folder)
    control.requires_grad_(False)
    control.eval()
    return control
