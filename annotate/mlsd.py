"""Straight lines by M-LSD (Gu et al. 2022): the network and weights of controlnet_aux's MLSDdetector, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.borrowed import borrow
from annotate.forward import forward
from annotate.stats import of_lines
from annotate.weights import fill, load_weights
from manifests.condition import Kind
from manifests.figures import Segments

WEIGHTS = "mlsd_large_512_fp32.pth"
MOST = 200  # lines of one picture
STRIDE = 16  # pixels: between the deepest features; the decoder joins them only in multiples of it
CELL = 2  # pixels of the picture to one cell of the network's output


@dataclass(frozen=True)
class Mlsd(Annotator):
    """Line segments with their scores, the surest first, at most 200.

    An end may lie outside the picture, where the network guesses it; whatever draws or crops the lines cuts them.
    """

    name: ClassVar[str] = "mlsd"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "lines"
    stats: ClassVar[dict[str, pa.DataType]] = {"lines": pa.int32()}

    score: float = 0.1  # a line is kept above this probability of its centre; controlnet_aux's thr_v
    distance: float = 0.1  # and above this length in cells of two pixels; controlnet_aux's thr_d

    @property
    def weights(self) -> tuple[str, ...]:
        """One file."""
        return (WEIGHTS,)

    def load(self, device: torch.device) -> Annotate:
        """Put the network on `device`."""
        network = borrow("mlsd.models.mbv2_mlsd_large").MobileV2_MLSD_Large()
        network = fill(network, load_weights(WEIGHTS), WEIGHTS).to(device).to(memory_format=torch.channels_last)
        return partial(annotate, network=network, score=self.score, distance=self.distance)

    def measure(self, condition: Segments) -> dict[str, float]:
        """`lines`: how many."""
        return of_lines(condition)

    def empty(self, condition: Segments) -> bool:
        """No line."""
        return len(condition.lines) == 0


@torch.inference_mode()
def annotate(
    images: NDArray[np.uint8],
    parameters: Sequence[Parameters],
    *,
    network: nn.Module,
    score: float,
    distance: float,
) -> list[Segments]:
    """Lines of pictures [B, H, W, 3] uint8 RGB.

    Sides that are no multiple of 16 are continued to the right and below by their last pixels; what the network finds
    beyond the picture is left out.
    """
    height, width = images.shape[1:3]
    device = next(network.parameters()).device
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float()
    pixels = functional.pad(pixels, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    # The fourth channel is a one that controlnet_aux scales as if it were a colour.
    pixels = functional.pad(pixels, (0, 0, 0, 0, 0, 1), value=1.0) / 127.5 - 1
    maps = forward(network, pixels.contiguous(memory_format=torch.channels_last))
    maps = maps[:, :, : -(-height // CELL), : -(-width // CELL)]
    return [Segments((height, width), lines) for lines in decode_lines(maps, score=score, distance=distance)]


def decode_lines(maps: Tensor, *, score: float, distance: float) -> list[NDArray[np.float32]]:
    """Lines from the network's maps, for the whole batch at once.

    Args:
        maps: [B, 5, h, w] float32, a cell to two pixels: the logit that a line has its centre here, then from here to
            one of its ends (x, y) and to the other, in cells.
        score: the least probability, in [0, 1].
        distance: the least length, in cells.

    Returns:
        B arrays [N, 5] float32 as in `Segments`, by falling score.
    """
    centre = torch.sigmoid(maps[:, 0])
    peak = functional.max_pool2d(centre, 3, stride=1, padding=1) == centre
    heat = torch.where(peak, centre, 0).flatten(1)
    scores, cells = heat.topk(min(MOST, heat.shape[1]), dim=1)
    ways = maps[:, 1:5].flatten(2).gather(2, cells[:, None].expand(-1, 4, -1)).transpose(1, 2)  # [B, N, 4]
    column, row = cells % maps.shape[3], cells // maps.shape[3]
    ends = ways + torch.stack([column, row, column, row], dim=2)
    length = (ways[..., :2] - ways[..., 2:]).square().sum(2).sqrt()
    kept = ((scores > score) & (length > distance)).cpu().numpy()
    lines = torch.cat([ends * CELL, scores[..., None]], dim=2).cpu().numpy()
    return [found[choice] for found, choice in zip(lines, kept, strict=True)]
