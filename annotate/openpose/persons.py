"""Boxes of persons by YOLOX (Ge et al. 2021), decoded for a whole batch."""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float32]  # [N, 4]: left, top, right, bottom in pixels of the picture
SIDE = 640  # pixels: of the network's input
PADDING = 114  # of 255
STRIDES = (8, 16, 32)
PERSON = 0  # of COCO's 80 classes
LIKELY = 0.3  # score of a person
OVERLAP = 0.45  # of two boxes, by which the fainter is the same person


def find_persons(
    images: NDArray[np.uint8], detect: Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
) -> list[Boxes]:
    """Find the persons of pictures.

    Args:
        images: [B, H, W, 3] uint8 RGB; read as they are, as DWPose's published code does, although YOLOX knows BGR.
        detect: of [B, 3, 640, 640] float32 in 0..255 to [B, 8400, 85]: boxes, object's score, classes' scores.
    """
    height, width = images.shape[1:3]
    scale = min(SIDE / height, SIDE / width)
    seen = max(1, int(width * scale)), max(1, int(height * scale))
    padded = np.full((len(images), SIDE, SIDE, 3), PADDING, np.uint8)
    for picture, image in zip(padded, images, strict=True):
        picture[: seen[1], : seen[0]] = cv2.resize(image, seen, interpolation=cv2.INTER_LINEAR)
    (found,) = detect(np.ascontiguousarray(padded.transpose(0, 3, 1, 2), np.float32))
    scores = found[..., 4] * found[..., 5 + PERSON]
    boxes = _boxes(found[..., :4]) / scale
    return [
        _distinct(all_of_one[score > LIKELY], score[score > LIKELY])
        for all_of_one, score in zip(boxes, scores, strict=True)
    ]


def _boxes(found: NDArray[np.float32]) -> Boxes:
    """Centres and logarithms of sides, in cells [B, 8400, 4], to left, top, right, bottom in pixels of the input."""
    grids = [np.indices((SIDE // stride,) * 2)[::-1].reshape(2, -1).T for stride in STRIDES]
    strides = np.concatenate([np.full((len(grid), 1), stride) for grid, stride in zip(grids, STRIDES, strict=True)])
    centre = (found[..., :2] + np.concatenate(grids)) * strides
    half = np.exp(found[..., 2:]) * strides / 2
    return np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32)


def _distinct(boxes: Boxes, scores: NDArray[np.float32]) -> Boxes:
    """Of boxes that overlap the most likely one, by falling score."""
    order, kept = scores.argsort()[::-1], []
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        shared = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2]) + 1
        overlap = shared.clip(min=0).prod(1)
        order = rest[overlap / (areas[best] + areas[rest] - overlap) <= OVERLAP]
    return boxes[kept]
