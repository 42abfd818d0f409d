"""Class maps by a semantic or universal segmentation model of transformers: one forward for a batch of pictures.

A map is, pixel by pixel, what the model's own processor says of the picture alone (the processor's resize, the model,
`post_process_semantic_segmentation` with the picture's size). Pictures of a batch have one shape, so none is padded:
those processors stretch the maps of padded pictures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.pretrained import load_model, load_part, read_config
from annotate.stats import of_classes
from manifests.condition import NO_CLASS, Kind

TASK = "the task is semantic"  # what OneFormer is told
MASK2FORMER_SIDE = 384  # pixels: its processor brings masks to this square, whatever the picture
AT_ONCE = 1 << 28  # scores that are enlarged to the picture's size at a time, at most: one gibibyte of them


@dataclass(frozen=True)
class Segmentation(Annotator):
    """The likeliest class of every pixel, by its index from 0."""

    name: ClassVar[str] = "segmentation"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "classes"
    stats: ClassVar[dict[str, pa.DataType]] = {"classes": pa.int32(), "entropy": pa.float32()}

    model: str = "openmmlab/upernet-convnext-small"  # on the Hub (ADE20K's 150 classes), a folder, tiny/segmentation

    @property
    def weights(self) -> tuple[str, ...]:
        """One model."""
        return (self.model,)

    @property
    def labels(self) -> list[str]:
        """Names of the model's classes, by index."""
        return list(_read(self.model)[1])

    def load(self, device: torch.device) -> Annotate:
        """Put the network on `device`."""
        # Importing them takes seconds, which a job of other families must not pay.
        from transformers import (
            AutoImageProcessor,
            AutoModelForSemanticSegmentation,
            AutoModelForUniversalSegmentation,
        )

        way, _ = _read(self.model)
        architecture = AutoModelForUniversalSegmentation if way.universal else AutoModelForSemanticSegmentation
        network = load_model(architecture, self.model, device)
        # A file of class names, which only training needs, would be fetched from another repository.
        prepare = load_part(AutoImageProcessor, self.model, **({"class_info_file": None} if way.told else {}))
        _check_processor(prepare, self.model)
        task = {"task_inputs": _task(self.model, network.config.task_seq_len).to(device)} if way.told else {}
        return partial(annotate, network=network, prepare=prepare, way=way, task=task)

    def measure(self, condition: NDArray[np.uint8]) -> dict[str, float]:
        """`classes`: how many there are; `entropy`: of their shares of the picture, in bits, 0 for a single one."""
        return of_classes(condition)

    def empty(self, condition: NDArray[np.uint8]) -> bool:
        """One class covers everything, which says nothing of where things are."""
        return bool((condition == condition.flat[0]).all())


def of_pixels(outputs: Any) -> Tensor:
    """Scores of a model that judges pixels: [B, C, h, w] float32."""
    return outputs.logits


def of_masks(outputs: Any, side: int = 0) -> Tensor:
    """Scores of a model that judges masks: the sum over masks of class times membership, [B, C, h, w] float32.

    Args:
        side: pixels to which masks are brought first; 0: they stay as they are.
    """
    masks = outputs.masks_queries_logits
    if side:
        masks = functional.interpolate(masks, (side, side), mode="bilinear", align_corners=False)
    classes = outputs.class_queries_logits.softmax(-1)[..., :-1]  # the last one is "no object"
    return torch.einsum("bqc,bqhw->bchw", classes, masks.sigmoid())


class Way(NamedTuple):
    """How a model of some type is asked, and how its answer is read."""

    scores: Callable[[Any], Tensor]
    universal: bool = True
    told: bool = False  # its task, in words
    antialias: bool = False  # where scores are made smaller


WAYS = {  # by the `model_type` of a model's config.json
    "upernet": Way(of_pixels, universal=False),
    "segformer": Way(of_pixels, universal=False),
    "beit": Way(of_pixels, universal=False),
    "mask2former": Way(partial(of_masks, side=MASK2FORMER_SIDE)),
    "maskformer": Way(of_masks),
    "oneformer": Way(of_masks, told=True, antialias=True),
}


@torch.inference_mode()
def annotate(
    images: NDArray[np.uint8],
    parameters: Sequence[Parameters],
    *,
    network: Any,
    prepare: Any,
    way: Way,
    task: Mapping[str, Tensor],
) -> list[NDArray[np.uint8]]:
    """Classes of pictures [B, H, W, 3] uint8 RGB: B maps [H, W] uint8, indices from 0.

    Args:
        network: of transformers.
        prepare: its image processor.
        task: what else the network is told, [1, T] each.
    """
    if len(images) > 1 and network.device.type == "cpu":  # as annotate/forward.py: a batch is slower there
        alone = partial(annotate, network=network, prepare=prepare, way=way, task=task)
        return [alone(images[place : place + 1], parameters[place : place + 1])[0] for place in range(len(images))]
    pixels = torch.from_numpy(images).to(network.device).permute(0, 3, 1, 2)
    inputs = prepare(images=list(pixels), input_data_format="channels_first", return_tensors="pt")
    told = {name: tokens.expand(len(images), -1) for name, tokens in task.items()}
    scores = way.scores(network(**{**inputs.to(network.device), **told})).float()
    return list(likeliest(scores, images.shape[1:3], antialias=way.antialias).cpu().numpy())


def likeliest(scores: Tensor, size: Sequence[int], *, antialias: bool = False) -> Tensor:
    """The best class of each pixel.

    Args:
        scores: [B, C, h, w] float32, of at most 255 classes.
        size: H and W of the pictures.

    Returns:
        [B, H, W] uint8.
    """
    height, width = size
    pictures = max(1, AT_ONCE // (scores.shape[1] * height * width))
    parts = [
        functional.interpolate(some, (height, width), mode="bilinear", align_corners=False, antialias=antialias)
        .argmax(1)
        .to(torch.uint8)
        for some in scores.split(pictures)
    ]
    return torch.cat(parts)


def _read(model: str) -> tuple[Way, tuple[str, ...]]:
    """How a model is asked, and its classes, by its config.json.

    Raises:
        ValueError: no model that can be asked for classes, or of too many.
    """
    said = read_config(model)
    kind, named = said.get("model_type"), said.get("id2label", {"0": "LABEL_0", "1": "LABEL_1"})
    labels = tuple(str(named[index]) for index in sorted(named, key=int))
    if kind not in WAYS:
        raise ValueError(f"segmentation.model: {model} is a {kind!r} model. Choose one of type {', '.join(WAYS)}")
    if len(labels) > NO_CLASS:
        raise ValueError(
            f"segmentation.model: {model} has {len(labels)} classes, and a class map holds {NO_CLASS} "
            f"({NO_CLASS} itself is no class). Choose a model of fewer"
        )
    return WAYS[kind], labels


def _check_processor(prepare: Any, model: str) -> None:
    """Refuse a processor whose pictures don't show what was given: its maps wouldn't lie over them."""
    for setting in ("do_center_crop", "pad_size"):
        if getattr(prepare, setting, None):
            raise ValueError(
                f"segmentation.model: {model}: its preprocessor_config.json sets {setting}, so its maps don't lie over "
                "the picture. Take the setting out"
            )


def _task(model: str, length: int) -> Tensor:
    """The task as tokens, those of the padding 0: [1, length] int64."""
    from transformers import AutoTokenizer

    tokens = load_part(AutoTokenizer, model)(TASK, padding="max_length", max_length=length, return_tensors="pt")
    return tokens["input_ids"] * tokens["attention_mask"]
