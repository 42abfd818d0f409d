"""How much people like a picture, as LAION's first aesthetic predictor guesses from its CLIP embedding."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.pretrained import load_clip
from annotate.weights import fill
from evaluate.quality.clip import clip_weights, embed, remedy_of, to_array
from evaluate.quality.network import See, Seen
from evaluate.quality.published import Published, describe_published, read_published
from manifests.family import Weights

PUBLISHED = Published(
    file="sa_0_4_vit_l_14_linear.pth",
    sha256="2cd4e60f4f24ae3bcd57b847b13c1f3ba27edc28cc1a7f9ce74ee9f421243cba",
    licence="MIT",
    source="https://github.com/LAION-AI/aesthetic-predictor/raw/main/sa_0_4_vit_l_14_linear.pth",
)


@dataclass(frozen=True)
class Aesthetic:
    """One linear layer on the unit embedding of CLIP ViT-L/14, fitted to ratings from 1 to 10."""

    model: str = "openai/clip-vit-large-patch14"
    head: Published = PUBLISHED

    @property
    def title(self) -> str:
        """The layer; of which CLIP, its name says."""
        return f"LAION-AI/aesthetic-predictor/{self.head.name}"

    @property
    def remedy(self) -> str:
        """Two publishers."""
        return f"{self.head.remedy}. Or: {remedy_of(self.model)}"

    def weights(self) -> list[Weights]:
        """The layer's file and the model's."""
        return [describe_published(self.head), *clip_weights(self.model)]

    def load(self, device: torch.device) -> See:
        """Load the model and the layer."""
        network, processor = load_clip(self.model, device)
        layer = torch.nn.Linear(network.config.projection_dim, 1)
        head = fill(layer, read_published(self.head), self.head.name).to(device)
        return partial(rate, network=network, processor=processor, head=head)


@torch.inference_mode()
def rate(
    pictures: NDArray[np.uint8], captions: Sequence[str], *, network: Any, processor: Any, head: torch.nn.Module
) -> Seen:
    """Unit embeddings of B pictures [B, H, W, 3] uint8 RGB, and the rating of each, about 1 to 10."""
    features = embed(pictures, network=network, processor=processor)
    return Seen(to_array(features), head(features)[:, 0].tolist())
