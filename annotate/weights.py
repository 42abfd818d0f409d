"""Where a detector's weights come from: a local folder, else the Hugging Face cache, else the Hub."""

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from huggingface_hub import constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.utils.logging import set_verbosity_error

from annotate.published import MODELS, WEIGHTS
from manifests.family import Weights
from manifests.room import in_bytes
from manifests.storage import sha256_of

Network = TypeVar("Network", bound=torch.nn.Module)
VARIABLE = "PAIRMILL_WEIGHTS"
OTHERS = "PAIRMILL_OTHER_WEIGHTS"  # 1: files of one's own under published names are meant
LOCAL = "local file of that name"  # the source of weights that are not the published ones
TINY = Path(__file__).parent / "tiny"  # detectors of the playroom, which lie in this repository
FILES_OF_A_MODEL = ("*.json", "*.txt", "*.safetensors")  # nothing that can run
SETTINGS = (  # of those, what a model gives depends on
    *("config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "vocab.txt", "merges.txt"),
)
UNREACHABLE = (OSError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled)


class Missing(ValueError):
    """Weights that are nowhere on this machine and can't be fetched."""


@contextmanager
def offline() -> Iterator[None]:
    """Nothing is asked of the Hub in here, and nothing fetched: what isn't on this machine is `Missing`."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def load_weights(file: str) -> dict[str, torch.Tensor]:
    """The state dict in `file`, on the CPU; nothing in it is executed.

    Raises:
        ValueError: it can't be had, or holds something else.
    """
    return read_state(find_file(file), f"Put the published file there, or leave {VARIABLE} unset")


def read_state(path: Path, remedy: str) -> dict[str, torch.Tensor]:
    """The state dict in a file of this machine, as `load_weights` gives it.

    Args:
        remedy: what to do if it can't be read.
    """
    try:
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path}: not weights that can be read ({type(error).__name__}). {remedy}") from error
    return state


def fill(network: Network, state: dict[str, torch.Tensor], file: str) -> Network:
    """A network with the weights in it, ready to be asked.

    Raises:
        ValueError: they are those of another network.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"{file}: weights of another network than {type(network).__name__} "
            f"({str(error).splitlines()[1].strip()[:200]}). Put the published file there, or leave {VARIABLE} unset"
        ) from error
    return network.float().eval().requires_grad_(False)


def describe(name: str) -> list[Weights]:
    """What a family's card says of its weights: each file with sha256, licence and source."""
    if name in WEIGHTS:
        path, published = find_file(name), WEIGHTS[name]
        digest = sha256_of(path)
        if digest == published.sha256:
            return [Weights(file=name, sha256=digest, licence=published.licence, source=published.repository)]
        return [Weights(file=name, sha256=digest, licence="unknown", source=LOCAL)]
    folder = find_model(name)
    known = MODELS.get(name)
    return [
        Weights(
            file=path.name,
            sha256=sha256_of(path),
            licence=known.licence if known else "that of the model",
            source=name,
        )
        for path in _files(folder)
    ]


def find_file(file: str) -> Path:
    """Path of a single file of `WEIGHTS` on this machine, downloaded when it is nowhere else.

    Raises:
        Missing: it can't be had; says the three ways to provide it.
        ValueError: it is not the published one, and `PAIRMILL_OTHER_WEIGHTS` doesn't say that another is meant.
    """
    local = _local(file)
    found = local if local and local.is_file() else _file_from_hub(file)
    if sha256_of(found) == WEIGHTS[file].sha256 or (found == local and os.environ.get(OTHERS) == "1"):
        return found
    remedy = f"Put the published one there or, if another is meant, set {OTHERS}=1" if found == local else "Delete it"
    raise ValueError(
        f"{found}: sha256 {sha256_of(found)} is not the published {WEIGHTS[file].sha256} "
        f"({in_bytes(found.stat().st_size)}, not {WEIGHTS[file].megabytes} MB). {remedy}"
    )


def find_model(name: str) -> Path:
    """Folder of a model: `tiny/NAME` of this repository, a path, a folder in `PAIRMILL_WEIGHTS`, or a name on the Hub,
    OWNER/NAME, behind which a folder in it may be named, as OWNER/NAME/vae.

    Raises:
        Missing: it can't be had; says the three ways to provide it.
        ValueError: no such tiny detector; names those there are.
    """
    if name.startswith("tiny/"):
        return _tiny(name)
    for folder in (_local(name), Path(name).expanduser()):
        if folder and (folder / "config.json").is_file():
            return folder
    known, (repository, inner) = MODELS.get(name), on_hub(name)
    patterns = [f"{inner}/{pattern}" if inner else pattern for pattern in FILES_OF_A_MODEL]
    set_verbosity_error()  # of its retries: what they come to is said below
    try:
        found = snapshot_download(repository, revision=known.revision if known else None, allow_patterns=patterns)
    except (*UNREACHABLE, HFValidationError) as error:
        raise Missing(
            _missing(f"model {name}", repository, f"--include '{inner}/*'" if inner else "", error)
        ) from error
    if inner and not (Path(found) / inner / "config.json").is_file():
        raise Missing(f"model {name}: {repository} has no folder {inner} with a config.json. Name another one")
    return Path(found) / inner


def on_hub(name: str) -> tuple[str, str]:
    """The repository and the folder in it that a model's name means; the folder is "" for the whole repository."""
    parts = name.split("/")
    return "/".join(parts[:2]), "/".join(parts[2:])


def _tiny(name: str) -> Path:
    there = {f"tiny/{file.parent.name}": file.parent for file in sorted(TINY.glob("*/*.safetensors"))}
    if name not in there:
        raise ValueError(f"model {name}: no detector of that name is in this repository. There are {', '.join(there)}")
    return there[name]


def _files(folder: Path) -> Iterator[Path]:
    """Those that decide what a model gives: its settings, its processor's, its words and its weights.

    Variants of the weights, as model.fp16.safetensors, are never loaded.
    """
    yield from sorted(
        path
        for path in folder.iterdir()
        if path.name in SETTINGS or (path.suffix in (".safetensors", ".onnx") and "." not in path.stem)
    )


def _local(name: str) -> Path | None:
    folder = os.environ.get(VARIABLE)
    return Path(folder) / name if folder else None


def _file_from_hub(file: str) -> Path:
    weights = WEIGHTS[file]
    set_verbosity_error()
    try:
        return Path(hf_hub_download(weights.repository, file, revision=weights.revision))
    except UNREACHABLE as error:
        what = f"weights {file} ({weights.licence}, from {weights.repository})"
        raise Missing(_missing(what, weights.repository, file, error)) from error


def _missing(what: str, repository: str, file: str, error: Exception) -> str:
    folder = os.environ.get(VARIABLE)
    looked = f"not in {VARIABLE}={folder}" if folder else f"{VARIABLE} is not set"
    return (
        f"{what}: {looked}, not in the Hugging Face cache, and the Hub can't be reached ({type(error).__name__}). "
        f"Put it into a folder and set {VARIABLE} to it, or run `{f'hf download {repository} {file}'.strip()}` where "
        "there is a network and copy the cache here, or connect this machine"
    )
