"""One file with a ControlNet in it, of whatever make: its weights by name, and what its header says."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel
from safetensors import SafetensorError, safe_open
from torch import Tensor

from train.interchange.ldm_names import HINT_ENCODER, ldm_names

PREFIX = "control_model."  # of the authors' files, where the ControlNet is one part of a whole model
SAFETENSORS, PICKLED = ".safetensors", (".pth", ".pt", ".ckpt", ".bin")
SHOWN = 3  # names, of many


@dataclass(frozen=True)
class WeightsFile:
    """What was read.

    Attributes:
        weights: by name, without prefix, of the dtype they are stored in.
        header: metadata of a safetensors file.
    """

    path: Path
    weights: dict[str, Tensor]
    header: dict[str, str]

    @property
    def original(self) -> bool:
        """Whether the names are those of the original layout; else they are diffusers'."""
        return "input_hint_block.0.weight" in self.weights


def read_weights(path: Path) -> WeightsFile:
    """Read a ControlNet in the original layout or in diffusers', alone or as a part of a whole model.

    Raises:
        ValueError: not such a file, or none that holds a whole ControlNet; a pickle that holds more than weights.
    """
    if path.suffix == SAFETENSORS:
        found, header = _read_safetensors(path)
    elif path.suffix in PICKLED:
        found, header = _read_pickled(path), {}
    else:
        raise ValueError(f"{path}: neither {SAFETENSORS} nor {', '.join(PICKLED)}")
    prefixed = {name.removeprefix(PREFIX): tensor for name, tensor in found.items() if name.startswith(PREFIX)}
    weights = prefixed or found
    for marker, what in (("lora_controlnet", "a control-LoRA"), ("difference", "a difference to a base's weights")):
        if marker in found or marker in weights:
            raise ValueError(f"{path}: {what}, not a whole ControlNet. Give the whole one")
    if "input_hint_block.0.weight" not in weights and not any(name.startswith(HINT_ENCODER) for name in weights):
        raise ValueError(
            f"{path}: not a ControlNet (no hint encoder). It holds {_some(found)}. Its names should begin with "
            f"{PREFIX}input_hint_block, input_hint_block, or in diffusers' layout {HINT_ENCODER}"
        )
    return WeightsFile(path, weights, header)


def fill(net: ControlNetModel, file: WeightsFile) -> None:
    """Give `net` the weights of a file, in the dtype and on the device of `net`.

    A projection of an attention block may be a convolution of 1 by 1 here and linear there: the same numbers.

    Raises:
        ValueError: they are not of its architecture; names what is missing, too much or of another shape.
    """
    own = net.state_dict()
    names = ldm_names(own) if file.original else {name: name for name in own}
    missing = [theirs for theirs in names.values() if theirs not in file.weights]
    beyond = sorted({*file.weights} - {*names.values()})
    if missing or beyond:
        said = [f"{word} {_some(of)}" for word, of in (("it lacks", missing), ("beyond it has", beyond)) if of]
        raise ValueError(f"{file.path}: a ControlNet of another architecture than the base's: {'; '.join(said)}")
    fitted = {}
    for name, tensor in own.items():
        given = file.weights[names[name]]
        if not _alike(name, given, tensor):
            raise ValueError(_misfit(file.path, names[name], given, tensor))
        fitted[name] = given.reshape(tensor.shape)
    net.load_state_dict(fitted)


def _alike(name: str, given: Tensor, wanted: Tensor) -> bool:
    projection = name.endswith(("proj_in.weight", "proj_out.weight"))
    same = given.shape == wanted.shape
    return same or (projection and given.squeeze((2, 3) if given.dim() == 4 else ()).shape == wanted.shape[:2])


def _misfit(path: Path, name: str, given: Tensor, wanted: Tensor) -> str:
    if name in {"input_hint_block.0.weight", f"{HINT_ENCODER}.conv_in.weight"} and given.dim() == wanted.dim() == 4:
        return f"{path}: its hints have {given.shape[1]} channels, those of this training {wanted.shape[1]}"
    return (
        f"{path}: a ControlNet of another base: {name} is {list(given.shape)}, for this base it would be "
        f"{list(wanted.shape)}. Stable Diffusion 1, 2 and XL have each their own"
    )


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: no safetensors file, or one that is cut off: {error}") from error


def _read_pickled(path: Path) -> dict[str, Tensor]:
    """Tensors of a pickle that holds nothing that would be run; they may lie under `state_dict`."""
    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        first = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{path}: not read, for it is damaged or holds more than weights, which might do anything: {first} "
            f"Get it as {SAFETENSORS}"
        ) from error
    while isinstance(held, Mapping) and isinstance(held.get("state_dict"), Mapping):
        held = held["state_dict"]
    if not isinstance(held, Mapping):
        raise ValueError(f"{path}: it holds a {type(held).__name__}, no weights by name")
    return {str(name): tensor for name, tensor in held.items() if isinstance(tensor, Tensor)}


def _some(names: Mapping[str, Any] | list[str]) -> str:
    """The first few of many names."""
    shown = ", ".join(list(names)[:SHOWN]) or "nothing"
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN:,} more"
