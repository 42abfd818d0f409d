"""The files of a trained control: in diffusers' layout where diffusers can read them, else in one of our own."""

import json
from hashlib import sha256
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from manifests.storage import replace_text, sha256_of

DIFFUSERS_FILE = "diffusion_pytorch_model.safetensors"
OWN_FILE = "control.safetensors"  # a name that diffusers does not look for, so that it takes no such folder for its own
CONFIG_FILE = "config.json"

State = dict[str, Tensor]


def weights_of(control: Path) -> list[Path]:
    """Files of a trained control's nets, sorted; none where it is not finished."""
    return sorted(path for name in (DIFFUSERS_FILE, OWN_FILE) for path in control.rglob(name))


def sha256_of_control(control: Path) -> str:
    """Of one file of weights its hash; of several the hash of their hashes."""
    each = [sha256_of(path) for path in sorted(control.rglob("*.safetensors"))]  # some kinds have more beside their net
    return each[0] if len(each) == 1 else sha256("\n".join(each).encode()).hexdigest()


def part(state: State, prefix: str) -> State:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def write_weights(state: State, path: Path) -> None:
    """Write tensors of any device and memory format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().contiguous() for name, tensor in state.items()}, path, metadata={"format": "pt"})


def write_own(state: State, folder: Path, *, kind: str) -> None:
    """Write a control that no class of diffusers reads."""
    write_weights(state, folder / OWN_FILE)
    replace_text(json.dumps({"_class_name": f"pairmill {kind}"}, indent=2) + "\n", folder / CONFIG_FILE)


def read_own(folder: Path) -> State:
    """Read what `write_own` wrote."""
    return load_file(folder / OWN_FILE)
