"""What a picture looks like in numbers that need no network: its colours by name, and where they and edges lie."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.image import RGB, decode
from annotate.quality.blockiness import blockiness
from annotate.quality.colour import chroma
from annotate.quality.compression import jpeg_quality

SIDE = 64  # pixels: of the thumbnail that is looked at
CELLS = 4  # a side of the grid over it
DIRECTIONS = 8  # of gradients

BLACK, GREY, WHITE = (
    45,
    40,
    190,
)  # of 255: value below which all is black; saturation below which it is grey; value of white
NAMES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.bool_]]] = {
    "red": lambda hsv: _hue(hsv, 170, 8),
    "orange": lambda hsv: _hue(hsv, 7, 19) & (hsv[..., 2] > 140),
    "brown": lambda hsv: _hue(hsv, 4, 22) & (hsv[..., 2] <= 170),
    "yellow": lambda hsv: _hue(hsv, 20, 34),
    "green": lambda hsv: _hue(hsv, 35, 85),
    "blue": lambda hsv: _hue(hsv, 86, 128),
    "purple": lambda hsv: _hue(hsv, 125, 160),
    "pink": lambda hsv: _hue(hsv, 150, 179) & (hsv[..., 2] > 130),
    "black": lambda hsv: hsv[..., 2] < BLACK,
    "white": lambda hsv: (hsv[..., 1] < GREY) & (hsv[..., 2] > WHITE),
    "grey": lambda hsv: (hsv[..., 1] < GREY) & (hsv[..., 2] >= BLACK) & (hsv[..., 2] <= WHITE),
}
SYNONYMS = {"gray": "grey", "violet": "purple", "golden": "yellow", "silver": "grey", "tan": "brown", "beige": "brown"}


@dataclass(frozen=True)
class Look:
    """What is kept of a picture that was decoded.

    Attributes:
        size: height and width, pixels.
        thumbnail: [64, 64, 3] uint8 RGB.
        grey, blockiness, jpeg_quality: as a quality family measures them.
    """

    size: tuple[int, int]
    thumbnail: RGB
    grey: float
    blockiness: float | None
    jpeg_quality: int | None


def look(data: bytes) -> Look | None:
    """Decode a picture once; None where it does not decode."""
    try:
        image = decode(data)
    except ValueError:
        return None
    blocks = blockiness(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8))
    size = (image.shape[0], image.shape[1])
    return Look(size, shrink(image), chroma(image)["grey"], blocks, jpeg_quality(data))


def shrink(image: RGB) -> RGB:
    """A picture [H, W, 3] uint8 RGB as a thumbnail [64, 64, 3]."""
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def colours(thumbnail: RGB) -> NDArray[np.float64]:
    """Share of a thumbnail that has each of the colours of `NAMES`: [11]."""
    hsv = np.asarray(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2HSV), np.uint8)
    return np.array([is_so(hsv).mean() for is_so in NAMES.values()])


def layout(thumbnail: RGB) -> NDArray[np.float64]:
    """Mean colours, colour shares and directions of gradients over a grid, each block of equal weight: [N]."""
    lab = cv2.cvtColor(thumbnail.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mean = cv2.resize(lab, (CELLS, CELLS), interpolation=cv2.INTER_AREA).ravel() / 100
    grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32)
    right, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(right, down)
    turn = (angle / (2 * np.pi) * DIRECTIONS).astype(int) % DIRECTIONS
    block = SIDE // CELLS
    cells = np.arange(SIDE) // block
    place = (cells[:, None] * CELLS + cells[None]) * DIRECTIONS + turn
    edges = np.bincount(place.ravel(), strength.ravel(), CELLS * CELLS * DIRECTIONS)
    blocks = (mean, colours(thumbnail), edges / max(float(np.linalg.norm(edges)), 1e-9))
    return np.concatenate(blocks)


def _hue(hsv: NDArray[np.uint8], low: int, high: int) -> NDArray[np.bool_]:
    """Pixels of a hue between two of OpenCV's (0 to 179), round the circle where `low` is the larger."""
    hue = hsv[..., 0]
    within = (hue >= low) & (hue <= high) if low <= high else (hue >= low) | (hue <= high)
    return np.asarray(within & (hsv[..., 1] >= GREY) & (hsv[..., 2] >= BLACK), bool)
