"""Captions by BLIP (Li et al. 2022), for corpora that have none: the model and tokens of transformers, in batches.

The words are those that transformers' own processor and `generate` give for the picture alone. Every picture of a batch
begins with the same prompt, so none is padded; words are chosen greedily or by beams and never drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pydantic import Field

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.pretrained import load_model, load_part, read_config
from manifests.condition import Kind
from manifests.figures import Text


@dataclass(frozen=True)
class Caption(Annotator):
    """A sentence about the picture."""

    name: ClassVar[str] = "caption"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "text"
    stats: ClassVar[dict[str, pa.DataType]] = {"length": pa.int32()}

    model: str = "Salesforce/blip-image-captioning-base"
    prompt: str = ""  # what every caption begins with, as "a photograph of"
    max_tokens: Annotated[int, Field(ge=1)] = 30  # beside the prompt's
    beams: Annotated[int, Field(ge=1)] = 1  # 1: greedily

    @property
    def weights(self) -> tuple[str, ...]:
        """One model."""
        return (self.model,)

    def load(self, device: torch.device) -> Annotate:
        """Put the network on `device`."""
        kind = read_config(self.model).get("model_type")
        if kind != "blip":
            raise ValueError(f"caption.model: {self.model} is a {kind!r} model. Choose one of type blip")
        # Importing them takes seconds, which a job of other families must not pay.
        from transformers import AutoProcessor, BlipForConditionalGeneration

        network = load_model(BlipForConditionalGeneration, self.model, device)
        processor = load_part(AutoProcessor, self.model)
        return partial(describe, network=network, processor=processor, settings=self)

    def measure(self, condition: Text) -> dict[str, float]:
        """`length`: in characters."""
        return {"length": len(condition.text)}

    def empty(self, condition: Text) -> bool:
        """Nothing is said, or nothing but the prompt, whose capitals BLIP has dropped."""
        return _letters(condition.text) in ("", _letters(self.prompt))


@torch.inference_mode()
def describe(
    images: NDArray[np.uint8], parameters: Sequence[Parameters], *, network: Any, processor: Any, settings: Caption
) -> list[Text]:
    """Captions of pictures [B, H, W, 3] uint8 RGB.

    Args:
        network: a BlipForConditionalGeneration.
        processor: its BlipProcessor.
    """
    pixels = torch.from_numpy(images).to(network.device).permute(0, 3, 1, 2)
    inputs = processor.image_processor(images=list(pixels), input_data_format="channels_first", return_tensors="pt")
    prompt = {}
    if settings.prompt:
        tokens = processor.tokenizer([settings.prompt] * len(images), return_tensors="pt").to(network.device)
        prompt = {name: tokens[name] for name in ("input_ids", "attention_mask")}
    written = network.generate(
        pixel_values=inputs["pixel_values"].to(network.device),
        max_new_tokens=settings.max_tokens,
        num_beams=settings.beams,
        do_sample=False,
        **prompt,
    )
    texts = processor.tokenizer.batch_decode(written, skip_special_tokens=True)
    return [Text((images.shape[1], images.shape[2]), " ".join(text.split())) for text in texts]


def _letters(text: str) -> str:
    """What is left of a text when capitals, spaces and punctuation don't count."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())
