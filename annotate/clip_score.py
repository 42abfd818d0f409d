"""How well a caption fits its picture, as CLIP sees it (Radford et al. 2021; Hessel et al. 2021), in batches.

The numbers are those that transformers' own processor and model give for the pair alone, to float32's rounding. They
are the named model's, and not to be compared with another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa
import torch

from annotate.annotator import STORED, Annotate, Annotator, Parameters
from annotate.pretrained import load_clip
from annotate.stored import Stored
from manifests.condition import Kind
from manifests.figures import Scores

STATS = ("clip_score", "truncated")


@dataclass(frozen=True)
class ClipScore(Annotator):
    """Similarity of a picture and its first caption."""

    name: ClassVar[str] = "clip_score"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "scores"
    stats: ClassVar[dict[str, pa.DataType]] = {"clip_score": pa.float32(), "truncated": pa.int32()}

    model: str = "openai/clip-vit-base-patch32"

    @property
    def reads(self) -> str:
        """Rows of images/: the picture is resized as the model's own processor does."""
        return STORED

    @property
    def weights(self) -> tuple[str, ...]:
        """One model."""
        return (self.model,)

    def load(self, device: torch.device) -> Annotate:
        """Put the networks on `device`."""
        network, processor = load_clip(self.model, device)
        return partial(score, network=network, processor=processor)

    def measure(self, condition: Scores) -> dict[str, Any]:
        """`clip_score`: cosine of the angle between picture and caption, -1 to 1, higher is nearer.

        `truncated`: how many of the caption's tokens came after the last that the model reads, and did not count. Both
        None where there is no caption.
        """
        return dict(condition.values)

    def empty(self, condition: Scores) -> bool:
        """There is no caption to compare with."""
        return condition.values["clip_score"] is None


def score(rows: Sequence[Stored], parameters: Sequence[Parameters], *, network: Any, processor: Any) -> list[Scores]:
    """Similarities of B rows.

    Args:
        network: a CLIPModel.
        processor: its CLIPProcessor.
    """
    captions = [next(iter(row.captions), "").strip() for row in rows]
    told = [place for place, caption in enumerate(captions) if caption]
    found: dict[int, tuple[float | None, int | None]] = dict.fromkeys(range(len(rows)), (None, None))
    if told:
        pairs = compare([rows[place] for place in told], [captions[place] for place in told], network, processor)
        found.update(zip(told, pairs, strict=True))
    return [Scores(row.image.shape[:2], dict(zip(STATS, found[place], strict=True))) for place, row in enumerate(rows)]


@torch.inference_mode()
def compare(rows: Sequence[Stored], captions: Sequence[str], network: Any, processor: Any) -> list[tuple[float, int]]:
    """Of each row and its caption the cosine similarity, and how many tokens were cut off."""
    limit = network.config.text_config.max_position_embeddings
    lengths = [len(tokens) for tokens in processor.tokenizer(list(captions), verbose=False)["input_ids"]]
    tokens = processor.tokenizer(
        list(captions), truncation=True, max_length=limit, padding=True, return_tensors="pt"
    ).to(network.device)
    pixels = processor.image_processor([row.image for row in rows], return_tensors="pt")["pixel_values"]
    seen = network(**tokens, pixel_values=pixels.to(network.device))  # their embeddings have length 1
    cosines = (seen.image_embeds * seen.text_embeds).sum(-1).clamp(-1, 1)
    return [(cosine, max(0, length - limit)) for cosine, length in zip(cosines.tolist(), lengths, strict=True)]
