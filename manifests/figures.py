"""Conditions that are no raster: people, line segments, words, numbers and latents, each with its picture's size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BODY, HAND, FACE = 18, 21, 70  # points of OpenPose's models
WHOLE_BODY = BODY + 2 * HAND + FACE  # in this order: body, left hand, right hand, face
Size = tuple[int, int]  # height and width in pixels


@dataclass(frozen=True, eq=False)
class Poses:
    """People.

    Attributes:
        shape: height and width of the picture, pixels.
        people: for each one [18, 3] float32 (body, OpenPose's COCO order) or [130, 3] (and hands and face): x, y in
            pixels of the picture, the centre of the first pixel at 0; a score in [0, 1], and 0 where there is no point.
    """

    shape: Size
    people: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, eq=False)
class Segments:
    """Straight lines.

    Attributes:
        shape: height and width of the picture, pixels.
        lines: [N, 5] float32: x and y of one end, x and y of the other, score in [0, 1].
    """

    shape: Size
    lines: NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """Numbers about a picture of `shape` (height and width, pixels), by the name of the stat that each is kept as."""

    shape: Size
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """Words about a picture of `shape` (height and width, pixels)."""

    shape: Size
    text: str


@dataclass(frozen=True)
class View:
    """A square of a picture: the pixel of its upper left corner, and whether it is mirrored after it was cut out."""

    top: int
    left: int
    flip: bool = False


@dataclass(frozen=True, eq=False)
class Moments:
    """Views of a picture as an autoencoder sees them.

    Attributes:
        shape: height and width of the picture that the views were cut from, pixels.
        views: one or more.
        values: [V, 2, C, h, w] float16: of each view the mean and the standard deviation of the posterior, as the
            autoencoder gives them: not yet multiplied by its scaling factor.
    """

    shape: Size
    views: tuple[View, ...]
    values: NDArray[np.float16]
