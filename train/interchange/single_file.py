"""A ControlNet in one file, as its authors release theirs, so that ComfyUI and the WebUI load what was trained here."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel
from safetensors.torch import save_file
from torch import Tensor

from manifests.storage import replace
from train.interchange.ldm_config import config_of
from train.interchange.ldm_names import ldm_names
from train.interchange.weights_file import PREFIX, SAFETENSORS, WeightsFile, fill

CONFIG = "pairmill.config"  # in the header: the network's settings, of which the weights' shapes tell only a part
OWN = ("_class_name", "_diffusers_version", "_name_or_path")  # of diffusers' settings: not of the network


def write_single_file(net: ControlNetModel, path: Path, *, header: Mapping[str, str], dtype: torch.dtype) -> None:
    """Write a safetensors file in the original layout, aside first.

    Args:
        header: what else its header is to say.
        dtype: of the weights in the file; float32 keeps them bit for bit.

    Raises:
        ValueError: a weight is too large for `dtype`, or the layout has no place for some part of `net`.
    """
    if path.suffix != SAFETENSORS:
        raise ValueError(f"{path}: written as {SAFETENSORS} alone, which nobody's machine runs when it is read")
    names = ldm_names(net.state_dict())
    tensors = {PREFIX + names[name]: _as(dtype, tensor, name) for name, tensor in net.state_dict().items()}
    said = {**header, CONFIG: json.dumps(_config(net), sort_keys=True), "format": "pt"}
    replace(partial(_save, tensors, said), path)


def net_of(file: WeightsFile) -> ControlNetModel:
    """Build the network that a file holds.

    Raises:
        ValueError: its names are diffusers', and nothing says how it is built; or as `config_of` and `fill` say.
    """
    if not file.original:
        raise ValueError(
            f"{file.path}: weights in diffusers' layout, without the config.json that says how they are built. Give "
            "the folder with both"
        )
    said = json.loads(file.header[CONFIG]) if CONFIG in file.header else config_of(file.weights, str(file.path))
    net = ControlNetModel(**said)
    # Not net.to(...): diffusers' own warns of modules that must stay float32, and here there are none.
    torch.nn.Module.to(net, dtype=next(iter(file.weights.values())).dtype)
    fill(net, file)
    net.eval()
    return net


def _config(net: ControlNetModel) -> dict[str, Any]:
    return {name: value for name, value in net.config.items() if name not in OWN}


def _as(dtype: torch.dtype, tensor: Tensor, name: str) -> Tensor:
    """One weight, rounded and laid out in rows."""
    rounded = tensor.detach().to("cpu", dtype).contiguous(memory_format=torch.contiguous_format)
    if not bool(rounded.isfinite().all()):
        largest = float(tensor.abs().max())
        raise ValueError(
            f"{name}: a weight of {largest:g} cannot be written as {dtype}. Leave --fp16 out, or look at it"
        )
    return rounded


def _save(tensors: dict[str, Tensor], said: dict[str, str], path: Path) -> None:
    save_file(tensors, path, metadata=said)
