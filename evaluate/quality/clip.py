"""Pictures and captions as CLIP (Radford et al. 2021) sees them, in the embedding that both share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from annotate.pretrained import load_clip
from annotate.weights import VARIABLE, Missing, describe
from evaluate.quality.network import See, Seen
from manifests.family import Weights

SCALE = 100.0  # of the CLIP score


@dataclass(frozen=True)
class ClipNetwork:
    """A model of CLIP by its name."""

    model: str

    @property
    def title(self) -> str:
        """What it is, not where this machine keeps it."""
        return "/".join(Path(self.model).parts[-2:])

    @property
    def remedy(self) -> str:
        """The Hub."""
        return remedy_of(self.model)

    def weights(self) -> list[Weights]:
        """Of one model."""
        return clip_weights(self.model)


@dataclass(frozen=True)
class ClipScore(ClipNetwork):
    """How well pictures fit their captions; the default is the model of ControlNet++'s and HumanSD's tables."""

    model: str = "openai/clip-vit-base-patch16"

    def load(self, device: torch.device) -> See:
        """Load both towers."""
        network, processor = load_clip(self.model, device)
        return partial(score, network=network, processor=processor)


@dataclass(frozen=True)
class ClipPictures(ClipNetwork):
    """Embeddings of pictures alone; the default is the model that CMMD is defined with (Jayasumana et al. 2024)."""

    model: str = "openai/clip-vit-large-patch14-336"

    def load(self, device: torch.device) -> See:
        """Load the model."""
        network, processor = load_clip(self.model, device)
        return partial(see, network=network, processor=processor)


def remedy_of(model: str) -> str:
    """Where a model of CLIP is to be had, the same sentence on every machine."""
    return (
        f"{model} is not on this machine with its weights as safetensors. Run `hf download {model}` where there is a "
        f"network and copy the cache here, or put its folder into another one and set {VARIABLE} to that. Where it is "
        f"published as pytorch_model.bin alone, save it anew: "
        f"CLIPModel.from_pretrained('{model}', use_safetensors=False).save_pretrained(FOLDER)"
    )


def clip_weights(model: str) -> list[Weights]:
    """Files of a model.

    Raises:
        Missing: it is not here, or without safetensors, which alone are loaded.
    """
    found = describe(model)
    if not any(weights.file.endswith(".safetensors") for weights in found):
        raise Missing(remedy_of(model))
    return found


def see(pictures: NDArray[np.uint8], captions: Sequence[str], *, network: Any, processor: Any) -> Seen:
    """Embed B pictures [B, H, W, 3] uint8 RGB; no score, whatever their captions."""
    return Seen(to_array(embed(pictures, network=network, processor=processor)), [None] * len(pictures))


def score(pictures: NDArray[np.uint8], captions: Sequence[str], *, network: Any, processor: Any) -> Seen:
    """Embed B pictures, and compare each with its caption.

    Args:
        pictures: [B, H, W, 3] uint8 RGB.
        captions: B.

    Returns:
        Unit embeddings, and 100 times the cosine to the caption's, -100 to 100: not clipped at 0, as torchmetrics and
        the tables made with it have it per picture (Hessel et al. 2021 have 2.5 max(cos, 0)). None: no caption.
    """
    features = embed(pictures, network=network, processor=processor)
    told = [place for place, caption in enumerate(captions) if caption.strip()]
    values: list[float | None] = [None] * len(captions)
    if told:
        words = embed_words([captions[place] for place in told], network=network, processor=processor)
        cosines = SCALE * (features[told] * words).sum(-1)
        for place, value in zip(told, cosines.tolist(), strict=True):
            values[place] = value
    return Seen(to_array(features), values)


@torch.inference_mode()
def embed(pictures: NDArray[np.uint8], *, network: Any, processor: Any) -> Tensor:
    """Embed pictures [B, H, W, 3] uint8 RGB, resized as the model's own processor does: [B, F] float32, length 1."""
    pixels = processor.image_processor(list(pictures), return_tensors="pt")["pixel_values"]
    seen = network.get_image_features(pixel_values=pixels.to(network.device)).pooler_output
    return torch.nn.functional.normalize(seen, dim=-1)


@torch.inference_mode()
def embed_words(captions: Sequence[str], *, network: Any, processor: Any) -> Tensor:
    """Embed captions: [B, F] float32, length 1.

    Of a long caption the first tokens count, 77 with the end of text; torchmetrics cuts that off too, and then reads
    the embedding at another token.
    """
    limit = network.config.text_config.max_position_embeddings
    tokens = processor.tokenizer(
        list(captions), truncation=True, max_length=limit, padding=True, return_tensors="pt"
    ).to(network.device)
    read = network.get_text_features(**tokens).pooler_output
    return torch.nn.functional.normalize(read, dim=-1)


def to_array(features: Tensor) -> NDArray[np.float32]:
    """[B, F] float32, on the CPU."""
    return np.asarray(features.float().cpu().numpy(), np.float32)
