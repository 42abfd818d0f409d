"""Where a detector's weights come from: a local folder, else the Hugging Face cache, else the Hub."""

import os
import pickle
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.utils.logging import set_verbosity_error

VARIABLE = "PAIRMILL_WEIGHTS"


@dataclass(frozen=True)
class Weights:
    """One published file of weights, pinned."""

    file: str
    repository: str
    revision: str
    sha256: str  # of the published file; a file of the same name in the local folder may be another, and is recorded
    licence: str


WEIGHTS = {
    "ControlNetHED.pth": Weights(
        file="ControlNetHED.pth",
        repository="lllyasviel/Annotators",
        revision="982e7edaec38759d914a963c48c4726685de7d96",
        sha256="5ca93762ffd68a29fee1af9d495bf6aab80ae86f08905fb35472a083a4c7a8fa",
        licence="Apache-2.0",
    )
}


def load_weights(file: str) -> dict[str, torch.Tensor]:
    """The state dict in `file`, on the CPU; nothing in it is executed.

    Raises:
        ValueError: it can't be had, or holds something else.
    """
    path = find(file)
    try:
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path}: not weights that can be read ({type(error).__name__}). Put the published file there, "
            f"or leave {VARIABLE} unset"
        ) from error
    return state


def describe(file: str) -> dict[str, str]:
    """What a family's card says of its weights: file, sha256, licence, source."""
    path, published = find(file), WEIGHTS[file]
    digest = _digest(path)
    if digest == published.sha256:
        return {"file": file, "sha256": digest, "licence": published.licence, "source": published.repository}
    return {"file": file, "sha256": digest, "licence": "unknown", "source": "local file of that name"}


def find(file: str) -> Path:
    """Path of `file` on this machine, downloaded when it is nowhere else.

    Raises:
        ValueError: it can't be had; says the three ways to provide it.
    """
    folder = os.environ.get(VARIABLE)
    if folder and (Path(folder) / file).is_file():
        return Path(folder) / file
    path = _from_hub(WEIGHTS[file], folder)
    if _digest(path) != WEIGHTS[file].sha256:
        raise ValueError(f"{path}: sha256 {_digest(path)} is not the published {WEIGHTS[file].sha256}. Delete the file")
    return path


def _from_hub(weights: Weights, folder: str | None) -> Path:
    set_verbosity_error()  # of its retries: what they come to is said below
    try:
        return Path(hf_hub_download(weights.repository, weights.file, revision=weights.revision))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        looked = f"not in {VARIABLE}={folder}" if folder else f"{VARIABLE} is not set"
        raise ValueError(
            f"weights {weights.file} ({weights.licence}, from {weights.repository}): {looked}, not in the Hugging Face "
            f"cache, and the Hub can't be reached ({type(error).__name__}). Put the file into a folder and set "
            f"{VARIABLE} to it, or run `hf download {weights.repository} {weights.file}` where there is a network and "
            "copy the cache here, or connect this machine"
        ) from error


@cache
def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
