"""Trained weights that a training goes on from: a ControlNet of ours or of anybody else's."""

import json
from pathlib import Path

from diffusers import ControlNetModel

from manifests.control import ControlSettings
from train.interchange.single_file import net_of
from train.interchange.weights_file import PICKLED, SAFETENSORS, WeightsFile, fill, read_weights

CLASS = "ControlNetModel"
SETTINGS_FILE = "control.json"  # beside the weights: what makes them again
PLAIN = ("controlnet", "mid_only")  # kinds all of whose trained weights are a ControlNet's


def load_initial(net: ControlNetModel, where: str) -> None:
    """Give `net` trained weights, in its own dtype.

    Args:
        where: a run, a folder in diffusers' layout, a single file in the original or in diffusers' layout, or a name on
            the Hugging Face Hub.

    Raises:
        ValueError: nothing there, not a ControlNet, or one of another architecture, base or number of hint channels.
    """
    try:
        path = Path(where)
        if path.is_file():
            fill(net, read_weights(path))
        else:
            held = _from_folder_or_hub(where)
            _check_read_alike(where, held)
            fill(net, WeightsFile(path, dict(held.state_dict()), {}))
    except ValueError as error:
        raise ValueError(f"control.initial: {error}") from error


def _check_read_alike(where: str, net: ControlNetModel) -> None:
    """Refuse a ControlNet that reads its hint, or is read, in a way that no control here does."""
    config = net.config
    if config.global_pool_conditions:  # as control_v11e_sd15_shuffle
        raise ValueError(
            f"{where}: its config.json has global_pool_conditions, averages over a picture, which no control here adds"
        )
    if config.controlnet_conditioning_channel_order != "rgb":
        raise ValueError(
            f"{where}: its config.json has controlnet_conditioning_channel_order=bgr, and hints here are RGB"
        )


def check_initial(settings: ControlSettings) -> None:
    """Refuse a trained control of which this one would go on from a part alone.

    Args:
        settings: of the control that is to go on, `initial` in them.

    Raises:
        ValueError: The other one's decoder is trained too, or it has a net for each of several conditions.
    """
    path = controlnet_folder(Path(settings.initial))
    if not (path / SETTINGS_FILE).is_file():
        return
    other, hints = read_settings(path)
    if other.kind not in PLAIN:
        raise ValueError(
            f"control.initial: {settings.initial}: a control of kind {other.kind}, of which only the ControlNet would "
            f"be taken, without what else was trained with it. Go on from one of {' and '.join(PLAIN)}"
        )
    if hints > 1 and other.joining == "sum":
        raise ValueError(
            f"control.initial: {settings.initial}: {hints} nets, a condition each, of which only the first would be "
            f"taken. Go on from the folder of one of them"
        )


def read_controlnet(where: str) -> ControlNetModel:
    """Read a ControlNet from any of the places of `load_initial`, in evaluation mode on the CPU.

    Returns:
        float32 from a folder or the Hub; from a file, of the dtype that it has there.

    Raises:
        ValueError: nothing there, or not a ControlNet.
    """
    path = Path(where)
    return net_of(read_weights(path)) if path.is_file() else _from_folder_or_hub(where)


def controlnet_folder(path: Path) -> Path:
    """The folder of a ControlNet: `path`, or in the folder of a run its controlnet/."""
    return path if (path / "config.json").is_file() else path / "controlnet"


def check_whole(path: Path) -> None:
    """Refuse the folder of a control that is more than a ControlNet, of which a ControlNet's layout loses something.

    Raises:
        ValueError: names the kind.
    """
    settings, conditions = read_settings(controlnet_folder(path))
    if settings.kind not in PLAIN:
        raise ValueError(
            f"{path}: a control of kind {settings.kind}, which no ControlNet's layout holds whole; only "
            f"{' and '.join(PLAIN)} are ControlNets"
        )
    if conditions > 1:
        raise ValueError(f"{path}: a control of {conditions} conditions, and a ControlNet's layout holds one of one")


def read_settings(folder: Path) -> tuple[ControlSettings, int]:
    """What makes a trained control again, and how many hints it reads: those of an ordinary ControlNet by default.

    What it went on from is left out: it may be gone by now, and is overwritten by the trained weights anyway.
    """
    path = folder / SETTINGS_FILE
    described = json.loads(path.read_text()) if path.is_file() else {}
    conditions = int(described.pop("conditions", 1))  # one, of what was written before there could be several
    return ControlSettings(**{**described, "initial": ""}), conditions


def _from_folder_or_hub(where: str) -> ControlNetModel:
    path = Path(where)
    if path.is_dir():
        folder = controlnet_folder(path)
        _check_class(path, folder / "config.json")
        where = str(folder)
    elif path.is_absolute() or where.startswith((".", "~")) or path.suffix in {SAFETENSORS, *PICKLED}:
        raise ValueError(f"{where}: there is no such folder or file")
    try:
        net, loaded = ControlNetModel.from_pretrained(where, output_loading_info=True)
    except OSError as error:
        first = str(error).strip().split("\n")[0].rstrip(".")
        raise ValueError(
            f"{where}: no ControlNet can be read from there: {first}. Give a folder in diffusers' layout, a single "
            "file, or a name on the Hub that this machine may download"
        ) from error
    if loaded["missing_keys"]:  # diffusers draws them anew, and says so in a log alone
        raise ValueError(f"{where}: it lacks {sorted(loaded['missing_keys'])[0]}, which its config.json asks for")
    return net


def _check_class(asked: Path, config: Path) -> None:
    if not config.is_file():
        raise ValueError(f"{asked}: no ControlNet in it (no config.json, and none in controlnet/)")
    found = json.loads(config.read_text()).get("_class_name")
    if found != CLASS:
        raise ValueError(f"{asked}: it holds a {found}, not a {CLASS}")
