"""Inverse depth of single pictures: MiDaS DPT-hybrid as controlnet_aux runs it, or a depth model of transformers."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.borrowed import borrow
from annotate.forward import forward
from annotate.pretrained import load_model, load_part
from annotate.stats import of_depth
from annotate.weights import fill, load_weights
from manifests.condition import Kind

MIDAS = "dpt_hybrid"
WEIGHTS = "dpt_hybrid-midas-501f0c75.pt"
STRIDE = 32  # pixels: between the deepest features, which the decoder doubles back to the others
INVERSE = ("dpt", "depth_anything")  # architectures of transformers whose published models predict inverse depth
FLAT = 1e-3  # of `dynamic_range`: less is what a network makes of nothing


@dataclass(frozen=True)
class Depth(Annotator):
    """Inverse depth up to a scale and a shift that differ from picture to picture; larger is nearer."""

    name: ClassVar[str] = "depth"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "depth"
    stats: ClassVar[dict[str, pa.DataType]] = {"dynamic_range": pa.float32()}

    model: str = MIDAS  # or a transformers model of inverse depth: its name on the Hub, tiny/depth, a folder

    @property
    def weights(self) -> tuple[str, ...]:
        """One file, or one model."""
        return (WEIGHTS,) if self.model == MIDAS else (self.model,)

    def load(self, device: torch.device) -> Annotate:
        """Put the network on `device`."""
        if self.model == MIDAS:
            return partial(annotate_midas, network=load_midas(device))
        return partial(annotate_transformers, **load_transformers(self.model, device))

    def measure(self, condition: NDArray[np.float32]) -> dict[str, float]:
        """`dynamic_range`."""
        return of_depth(condition)

    def empty(self, condition: NDArray[np.float32]) -> bool:
        """Nothing is nearer than anything else."""
        return of_depth(condition)["dynamic_range"] < FLAT


def load_midas(device: torch.device) -> nn.Module:
    """controlnet_aux's DPT-hybrid on `device`: [B, 3, H, W] float32 in [-1, 1] to [B, H, W] float32, at least 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm has renamed the backbone
        network: nn.Module = borrow("midas.midas.dpt_depth").DPTDepthModel(backbone="vitb_rn50_384")
    return fill(network, load_weights(WEIGHTS), WEIGHTS).to(device).to(memory_format=torch.channels_last)


def load_transformers(name: str, device: torch.device) -> dict[str, Any]:
    """A depth model of transformers as `network` on `device`, and its `processor`.

    Raises:
        ValueError: it can't be had, or what it predicts does not grow towards the viewer.
    """
    from transformers import AutoConfig, AutoImageProcessor, AutoModelForDepthEstimation

    config = load_part(AutoConfig, name)
    backbone = getattr(getattr(config, "backbone_config", None), "model_type", "")
    metric = getattr(config, "depth_estimation_type", "relative") != "relative"
    # The published DPTs upon DINOv2 (facebook/dpt-dinov2-*-nyu, -kitti) give metres, and nothing else says so.
    if config.model_type not in INVERSE or metric or (config.model_type == "dpt" and backbone == "dinov2"):
        raise ValueError(
            f"depth: {name} is a {config.model_type} of distances, not of inverse depth. Choose a relative model of "
            f"{' or '.join(INVERSE)}, as Intel/dpt-large or depth-anything/Depth-Anything-V2-Small-hf"
        )
    network = load_model(AutoModelForDepthEstimation, name, device)
    return {"network": network, "processor": load_part(AutoImageProcessor, name)}


@torch.inference_mode()
def annotate_midas(
    images: NDArray[np.uint8], parameters: Sequence[Parameters], *, network: nn.Module
) -> list[NDArray[np.float32]]:
    """Inverse depth of pictures [B, H, W, 3] uint8 RGB: B maps [H, W] float32.

    Sides become the nearest multiple of 32 before the network, bicubically, as in MiDaS (isl-org/MiDaS, `Resize` of
    midas/transforms.py with `ensure_multiple_of=32`), and come back bicubically, as in its run.py. Its reduction to
    384 pixels is left out, as in controlnet_aux.
    """
    height, width = images.shape[1:3]
    device = next(network.parameters()).device
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    pixels = resize(pixels, (multiple(height), multiple(width)))
    inverse = forward(network, pixels.contiguous(memory_format=torch.channels_last))
    return list(resize(inverse[:, None], (height, width))[:, 0].cpu().numpy())


@torch.inference_mode()
def annotate_transformers(
    images: NDArray[np.uint8], parameters: Sequence[Parameters], *, network: nn.Module, processor: Any
) -> list[NDArray[np.float32]]:
    """Inverse depth of pictures [B, H, W, 3] uint8 RGB: B maps [H, W] float32.

    The processor resizes the batch as its model wants it; the prediction comes back bicubically, as transformers'
    post_process_depth_estimation brings back each one.
    """
    device = next(network.parameters()).device
    inputs = processor(images=list(images), input_data_format="channels_last", return_tensors="pt", device=device)
    inverse: Tensor = network(inputs["pixel_values"].to(device)).predicted_depth
    return list(resize(inverse[:, None], images.shape[1:3])[:, 0].cpu().numpy())


def multiple(side: int) -> int:
    """The multiple of `STRIDE` nearest to a side in pixels, but not 0; of two equally near ones the even, as NumPy."""
    return max(STRIDE, STRIDE * round(side / STRIDE))


def resize(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Maps [B, C, h, w] float32 at another height and width; OpenCV's cubic weights are torch's."""
    if maps.shape[2:] == size:
        return maps
    return functional.interpolate(maps, size, mode="bicubic", align_corners=False)
