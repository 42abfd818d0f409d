"""Models of transformers: loaded from a folder whole, or not at all, and without a word on the screen."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError

from annotate.weights import VARIABLE, find_model

BROKEN = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, HFValidationError)


def load_model(architecture: Any, name: str, device: torch.device) -> Any:
    """A model, ready to be asked: float32, in evaluation mode, on `device`.

    Args:
        architecture: a class of transformers that has `from_pretrained`.
        name: as `annotate.weights.find_model` takes it.

    Raises:
        ValueError: it can't be had, can't be read, or lacks weights that the architecture needs (which transformers
            would draw at random).
    """
    folder = find_model(name)
    with _silence(), _explained(name, folder):
        model, found = architecture.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # they are told of below
            output_loading_info=True,
        )
    lacking = sorted({*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])})
    if lacking:
        raise ValueError(
            f"{name}: {folder} holds weights of another network than {type(model).__name__}: {len(lacking)} are "
            f"missing or of another shape, {lacking[0]} for one. Put the published model there, "
            f"or leave {VARIABLE} unset"
        )
    return model.eval().requires_grad_(False).to(device)


def load_part(part: Any, name: str, **settings: Any) -> Any:
    """A processor, a tokenizer or the configuration of a model.

    Args:
        part: a class of transformers that has `from_pretrained`.
        settings: that overrule those in the folder.
    """
    folder = find_model(name)
    with _silence(), _explained(name, folder):
        return part.from_pretrained(folder, local_files_only=True, **settings)


def load_clip(name: str, device: torch.device) -> tuple[Any, Any]:
    """A CLIPModel on `device`, and its CLIPProcessor.

    Raises:
        ValueError: it can't be had or read, or is of another type.
    """
    kind = read_config(name).get("model_type")
    if kind != "clip":
        raise ValueError(f"{name}: it is a {kind!r} model. Choose one of type clip")
    # Importing them takes seconds, which whoever doesn't look at pictures must not pay.
    from transformers import CLIPModel, CLIPProcessor

    return load_model(CLIPModel, name, device), load_part(CLIPProcessor, name)


def read_config(name: str) -> dict[str, Any]:
    """What a model's config.json says; cheap, and imports nothing.

    Raises:
        ValueError: it can't be had, or says nothing.
    """
    path = find_model(name) / "config.json"
    try:
        said: dict[str, Any] = dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path}: not a model's configuration ({type(error).__name__}). Put the model there"
        ) from error
    return said


@contextlib.contextmanager
def _explained(name: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        lines = str(error).strip().splitlines() or [""]
        raise ValueError(
            f"{name}: {folder} is not a model that can be read ({type(error).__name__}: {lines[0][:200]}). Put the "
            f"published model there, with its weights as safetensors, or leave {VARIABLE} unset"
        ) from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """No progress bars, no table of unused weights: what matters is said by errors."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
