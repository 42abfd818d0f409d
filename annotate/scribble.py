"""Scribbles: HED's soft edges thinned, then drawn again with a broad pen, as controlnet_aux does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from annotate.annotator import Annotate, Annotator, Parameters
from manifests.condition import Kind

LINES = (  # a pixel survives where it is the greatest along one of four directions
    np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], np.uint8),
    np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]], np.uint8),
    np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8),
    np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], np.uint8),
)
FAINTEST = 4  # of 255: how much of the blurred line still counts as pen


@dataclass(frozen=True)
class Scribble(Annotator):
    """How strong a soft edge must be to be drawn, and how broad the pen is."""

    name: ClassVar[str] = "scribble"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "binary"

    threshold: int = 127  # of 255, after smoothing
    sigma: float = 3.0  # pixels: of the smoothing before thinning and of the pen

    @property
    def reads(self) -> str:
        """Soft edges."""
        return "hed"

    def load(self, device: torch.device) -> Annotate:
        """Scribbling runs on the CPU whatever the device."""
        return partial(scribble, threshold=self.threshold, sigma=self.sigma)


def scribble(
    soft: NDArray[np.uint8], parameters: Sequence[Parameters], *, threshold: int, sigma: float
) -> list[NDArray[np.uint8]]:
    """Scribbles of soft edges [B, H, W] uint8: B maps [H, W] uint8 in {0, 1}."""
    return [_pen(thin(edges, threshold=threshold, sigma=sigma), sigma) for edges in soft]


def thin(edges: NDArray[np.uint8], *, threshold: int, sigma: float) -> NDArray[np.uint8]:
    """Ridges of one soft edge map [H, W] uint8 that rise above `threshold`: [H, W] uint8 in {0, 255}."""
    smooth = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), sigma)
    ridge = np.zeros(edges.shape, dtype=bool)
    for line in LINES:
        ridge |= cv2.dilate(smooth, line) == smooth
    return np.where(ridge & (smooth > threshold), np.uint8(255), np.uint8(0))


def _pen(lines: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    return (cv2.GaussianBlur(lines, (0, 0), sigma) > FAINTEST).astype(np.uint8)
