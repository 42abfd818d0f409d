"""The tiny segmentation detector: a SegFormer (Xie et al. 2021) of playroom size, with logits at every second pixel."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoModelForSemanticSegmentation,
    SegformerConfig,
    SegformerForSemanticSegmentation,
)
from transformers import SegformerImageProcessor as Processor

from annotate.corpora.generated import SIDE
from annotate.corpora.playroom import CLASSES
from annotate.tiny.data import Pictures

FOLDER = Path(__file__).parent / "segmentation"


def build() -> SegformerForSemanticSegmentation:
    """An untrained network; its first stride is 2 and not 4, for a far mannequin's arm is two pixels wide."""
    config = SegformerConfig(
        depths=[1, 2, 2, 2],
        hidden_sizes=[16, 48, 72, 96],
        strides=[2, 2, 2, 2],
        patch_sizes=[7, 3, 3, 3],
        sr_ratios=[8, 4, 2, 1],
        num_attention_heads=[1, 2, 3, 4],
        mlp_ratios=[2, 2, 2, 2],
        decoder_hidden_size=64,
        drop_path_rate=0.0,
        classifier_dropout_prob=0.0,
        id2label=dict(enumerate(CLASSES)),
        label2id={name: number for number, name in enumerate(CLASSES)},
    )
    return SegformerForSemanticSegmentation(config)


def processor() -> Processor:
    """What a picture goes through before the network."""
    return Processor(size={"height": SIDE, "width": SIDE}, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def loss(network: nn.Module, pictures: Pictures) -> Tensor:
    """Cross-entropy of every pixel of the picture, in nats; logits are enlarged to it: []."""
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    classes = torch.from_numpy(pictures.classes).long()
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(images).logits
    return functional.cross_entropy(_enlarge(logits.float(), classes.shape[1:]), classes)


def save(network: nn.Module, folder: Path = FOLDER) -> None:
    """Write network and processor, as transformers reads them."""
    network.save_pretrained(folder)  # type: ignore[operator]
    processor().save_pretrained(folder)


def load(folder: Path = FOLDER) -> nn.Module:
    """The trained network, on the CPU."""
    network: nn.Module = AutoModelForSemanticSegmentation.from_pretrained(folder)
    return network


def _enlarge(logits: Tensor, size: tuple[int, ...]) -> Tensor:
    return functional.interpolate(logits, size, mode="bilinear", align_corners=False)
