"""Canny edges: thin, binary, from OpenCV, with thresholds that are fixed or drawn for each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.draws import generator
from manifests.condition import Kind

Range = tuple[int, int]


@dataclass(frozen=True)
class Canny(Annotator):
    """Hysteresis thresholds on the L1 gradient of the 8-bit RGB picture (3x3 Sobel, strongest channel).

    With both ranges set, each row's thresholds are drawn from them, as the makers of ControlNet did for their Canny
    model; either way the row records what was used.
    """

    name: ClassVar[str] = "canny"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "binary"
    parameters: ClassVar[dict[str, pa.DataType]] = {"low": pa.int32(), "high": pa.int32()}

    low: int = 100
    high: int = 200
    low_range: Range | None = None  # both ends included
    high_range: Range | None = None
    seed: int = 0  # of the draw

    def __post_init__(self) -> None:
        if (self.low_range is None) != (self.high_range is None):
            raise ValueError("canny: low_range and high_range go together. Set both, or neither")
        low, high = self.low_range or (self.low, self.low), self.high_range or (self.high, self.high)
        if not 0 <= low[0] <= low[1] <= high[0] <= high[1]:
            raise ValueError(f"canny: thresholds {low} and {high} are out of order. Keep 0 <= low <= high")

    def draw(self, seed_key: str) -> dict[str, Any]:
        """The row's thresholds."""
        if self.low_range is None or self.high_range is None:
            return {"low": self.low, "high": self.high}
        rng = generator(self.seed, seed_key)
        low, high = (int(rng.integers(ends[0], ends[1] + 1)) for ends in (self.low_range, self.high_range))
        return {"low": low, "high": high}

    def load(self, device: torch.device) -> Annotate:
        """Canny runs on the CPU whatever the device."""
        return trace_edges


def trace_edges(images: NDArray[np.uint8], parameters: Sequence[Parameters]) -> list[NDArray[np.uint8]]:
    """Trace thin edges.

    Args:
        images: [B, H, W, 3] uint8 RGB.
        parameters: `low` and `high` of each picture.

    Returns:
        B maps [H, W] uint8 in {0, 1}; 1 is an edge.
    """
    drawn = zip(images, parameters, strict=True)
    edges = [cv2.Canny(*gradient(image), row["low"], row["high"]) for image, row in drawn]
    return [np.asarray(edge, dtype=np.uint8) & np.uint8(1) for edge in edges]


def gradient(image: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Derivatives to the right and below, of each pixel's channel that changes most: [H, W] int16 both.

    What `cv2.Canny` finds by itself in a colour picture, to the bit, in a fraction of its time; of channels that change
    alike the first counts.
    """
    right, below, change = _derivatives(image, 0)
    for channel in (1, 2):
        others = _derivatives(image, channel)
        stronger = cv2.compare(others[2], change, cv2.CMP_GT)
        for other, kept in zip(others, (right, below, change), strict=True):
            cv2.copyTo(other, stronger, kept)
    return right, below


def _derivatives(image: NDArray[np.uint8], channel: int) -> tuple[NDArray[np.int16], ...]:
    """One channel's 3x3 Sobel derivatives and the sum of their sizes."""
    both = cv2.spatialGradient(cv2.extractChannel(image, channel), borderType=cv2.BORDER_REPLICATE)
    right, below = (np.asarray(one, dtype=np.int16) for one in both)
    return right, below, np.abs(right) + np.abs(below)
