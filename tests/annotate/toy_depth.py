"""Depth networks without a published weight: of toy size for shards, of true size for parity."""

from pathlib import Path

import torch
from torch import nn
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTConfig,
    DPTForDepthEstimation,
    DPTImageProcessor,
    PreTrainedModel,
)

from annotate.borrowed import borrow
from annotate.depth import WEIGHTS


def write_toy_dpt(folder: Path, side: int = 80) -> None:
    """A DPT of `side` pixels square, whose processor squeezes any picture into that square.

    Its weights are mirrored, and its sides are an odd number of patches, so that it knows no left from right.
    """
    torch.manual_seed(0)
    config = DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=side,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 32, 32, 32],
        fusion_hidden_size=16,
        use_batch_norm_in_fusion_residual=False,
    )
    size = {"height": side, "width": side}
    processor = DPTImageProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    network = DPTForDepthEstimation(config)
    _liven(network, network.head.head[4])
    _mirror(network)
    _write(network, processor, folder)


def write_toy_depth_anything(folder: Path, *, kind: str = "relative", side: int = 126) -> None:
    """Depth Anything with its own resizing: the aspect ratio kept, sides in multiples of 14, as the published ones."""
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=side,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[16, 32, 32, 32],
        fusion_hidden_size=16,
        depth_estimation_type=kind,
    )
    size = {"height": side, "width": side}
    processor = DPTImageProcessor(size=size, keep_aspect_ratio=True, ensure_multiple_of=14)
    network = DepthAnythingForDepthEstimation(config)
    _liven(network, network.head.conv3)
    _write(network, processor, folder)


def write_midas(folder: Path) -> nn.Module:
    """A DPT-hybrid of controlnet_aux, of true size, written under the name of the published file."""
    torch.manual_seed(0)
    network: nn.Module = borrow("midas.midas.dpt_depth").DPTDepthModel(backbone="vitb_rn50_384")
    _liven(network, network.scratch.output_conv[4])
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / WEIGHTS)
    return network.eval()


def _write(network: PreTrainedModel, processor: DPTImageProcessor, folder: Path) -> None:
    network.save_pretrained(folder)
    processor.save_pretrained(folder)


@torch.no_grad()
def _liven(network: nn.Module, last: nn.Conv2d) -> None:
    """Scale drawn weights until depth varies with the picture and the place as a trained network's does.

    Positions get a share in what the transformer sees, residual branches are opened (timm starts them at zero), and
    the last layer is raised to a range of tens, where slopes of normals matter.
    """
    for name, parameter in network.named_parameters():
        if "pos_embed" in name or "position_embeddings" in name:
            nn.init.normal_(parameter, std=0.3)
        elif "norm" in name and name.endswith("weight"):
            nn.init.uniform_(parameter, 0.7, 1.3)
        elif name.endswith("weight") and parameter.dim() > 1 and "stages" not in name:
            nn.init.xavier_normal_(parameter)
    nn.init.normal_(last.weight, std=1.5)
    nn.init.constant_(last.bias, 5.0)


@torch.no_grad()
def _mirror(network: DPTForDepthEstimation) -> None:
    """Make the mean of the network's weights and of their mirror images its weights."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.copy_((parameter + parameter.flip(3)) / 2)
    places = network.dpt.embeddings.position_embeddings[0, 1:]  # of a square of patches, row by row
    side = round(len(places) ** 0.5)
    grid = places.unflatten(0, (side, side))
    places.copy_(((grid + grid.flip(1)) / 2).flatten(0, 1))
