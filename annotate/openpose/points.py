"""Points of a person by RTMPose-like networks (Jiang et al. 2023): a window around each, then SimCC's two rulers."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.openpose.persons import Boxes

MARGIN = 1.25  # a window is larger than the person by this
MEAN, SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet's colours, RGB
FINENESS = 2.0  # marks of a ruler per pixel of the window
TOGETHER = 32  # windows in one forward


def find_points(
    images: NDArray[np.uint8],
    boxes: Sequence[Boxes],
    locate: Callable[[NDArray[np.float32]], list[NDArray[np.float32]]],
    window: tuple[int, int],
) -> list[NDArray[np.float32]]:
    """Find the points of the persons of a batch.

    Args:
        images: [B, H, W, 3] uint8 RGB.
        boxes: of each picture, [N, 4].
        locate: of [N, 3, *window] float32 to [N, K, 2 width] and [N, K, 2 height]: how likely at each mark.
        window: height and width of the network's input.

    Returns:
        For each picture [N, K, 3] float32: x, y in its pixels, score.
    """
    centre, extent = _windows(np.concatenate(boxes), window[1] / window[0])
    owners = np.repeat(np.arange(len(images)), [len(some) for some in boxes])
    found = []
    for start in range(0, len(owners), TOGETHER):
        some = range(start, min(start + TOGETHER, len(owners)))
        cut = np.stack([_cut(images[owners[person]], centre[person], extent[person], window) for person in some])
        place, score = _decode(*locate(((cut - MEAN) / SPREAD).astype(np.float32).transpose(0, 3, 1, 2)))
        mine = slice(some.start, some.stop)
        spot = place / window[::-1] * extent[mine, None] + (centre - extent / 2)[mine, None]
        found += list(np.concatenate([spot, score[..., None]], axis=-1).astype(np.float32))
    return [np.array([found[person] for person in np.flatnonzero(owners == picture)]) for picture in range(len(images))]


def _windows(boxes: Boxes, aspect: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and extents [N, 2] (x, y) of windows of `aspect` (width by height) around boxes."""
    corners = boxes.astype(np.float64).reshape(-1, 2, 2)
    width, height = ((corners[:, 1] - corners[:, 0]) * MARGIN).T
    extent = np.stack([np.maximum(width, height * aspect), np.maximum(width / aspect, height)], axis=1)
    return corners.mean(1), extent


def _cut(
    image: NDArray[np.uint8], centre: NDArray[np.float64], extent: NDArray[np.float64], window: tuple[int, int]
) -> NDArray[np.uint8]:
    """One window, as large as the network's input; black beyond the picture."""
    height, width = window
    scale = width / extent[0]
    shift = np.array([width, height]) / 2 - centre * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def _decode(along: NDArray[np.float32], down: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rulers [N, K, marks] to places [N, K, 2] (x, y) in pixels of the window, and scores [N, K] of the fainter one."""
    place = np.stack([along.argmax(-1), down.argmax(-1)], axis=-1) / FINENESS
    return place.astype(np.float32), np.minimum(along.max(-1), down.max(-1))
