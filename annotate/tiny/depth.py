"""The tiny depth detector: a DPT-Hybrid (Ranftl et al. 2021) of playroom size that predicts inverse depth in 1/m."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForDepthEstimation, DPTConfig, DPTForDepthEstimation
from transformers import DPTImageProcessor as Processor

from annotate.corpora.generated import SIDE
from annotate.tiny.data import Pictures

FOLDER = Path(__file__).parent / "depth"
HIDDEN = 96
MEAN_INVERSE_DEPTH = 0.2  # 1/m; where the last layer starts, so that its ReLU lives


def build() -> DPTForDepthEstimation:
    """An untrained network: convolutions to stride 16, four transformer layers, and DPT's fusion back to the pixels."""
    config = DPTConfig(
        is_hybrid=True,
        hidden_size=HIDDEN,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=2 * HIDDEN,
        image_size=SIDE,
        patch_size=16,
        backbone_out_indices=[0, 1, 1, 3],
        backbone_featmap_shape=[1, 128, SIDE // 16, SIDE // 16],
        backbone_config={
            "model_type": "bit",
            "global_padding": "same",
            "layer_type": "bottleneck",
            "embedding_size": 32,
            "hidden_sizes": [64, 96, 128],
            "depths": [2, 2, 2],
            "num_groups": 8,
            "out_features": ["stage1", "stage2", "stage3"],
            "embedding_dynamic_padding": True,
        },
        neck_hidden_sizes=[64, 96, HIDDEN, HIDDEN],
        reassemble_factors=[1, 1, 1, 0.5],
        fusion_hidden_size=32,
    )
    network = DPTForDepthEstimation(config)
    nn.init.constant_(network.head.head[-2].bias, MEAN_INVERSE_DEPTH)
    return network


def processor() -> Processor:
    """What a picture goes through before the network."""
    size = {"height": SIDE, "width": SIDE}
    return Processor(size=size, keep_aspect_ratio=False, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def loss(network: nn.Module, pictures: Pictures) -> Tensor:
    """Mean error and mean error of slopes, in tenths of 1/m: []."""
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.autocast("cpu", torch.bfloat16):
        inverse = network(images).predicted_depth
    error = 10 * (inverse.float() - torch.from_numpy(pictures.depth))
    slopes = error.diff(dim=1).abs().mean() + error.diff(dim=2).abs().mean()
    return functional.smooth_l1_loss(error, torch.zeros_like(error), beta=0.1) + slopes


def save(network: nn.Module, folder: Path = FOLDER) -> None:
    """Write network and processor, as transformers reads them."""
    network.save_pretrained(folder)  # type: ignore[operator]
    processor().save_pretrained(folder)


def load(folder: Path = FOLDER) -> nn.Module:
    """The trained network, on the CPU."""
    network: nn.Module = AutoModelForDepthEstimation.from_pretrained(folder)
    return network
