"""Hands and faces of the bodies of a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from annotate.openpose.body import Bodies
from annotate.openpose.boxes import LEFT, RIGHT, Box, face_box, hand_box
from annotate.openpose.face import find_faces
from annotate.openpose.hands import find_hands
from manifests.figures import BODY, HAND, WHOLE_BODY

FIRST_OF_LEFT, FIRST_OF_RIGHT, FIRST_OF_FACE = BODY, BODY + HAND, BODY + 2 * HAND
Find = Callable[[Sequence[NDArray[np.uint8]], nn.Module, torch.device], NDArray[np.float32]]


@dataclass(frozen=True)
class Extremities:
    """The networks of hands and faces; None for those not wanted."""

    hand: nn.Module | None = None
    face: nn.Module | None = None


def with_extremities(
    images: NDArray[np.uint8], bodies: Sequence[Bodies], networks: Extremities, device: torch.device
) -> Sequence[Bodies]:
    """Find hands and faces of all people of a batch.

    Args:
        images: [B, H, W, 3] uint8 RGB.
        bodies: of each picture, its people, [18, 3] each.

    Returns:
        The same people; where a network is given, [130, 3] each.
    """
    if networks.hand is None and networks.face is None:
        return bodies
    whole = [[np.pad(body, ((0, WHOLE_BODY - BODY), (0, 0))) for body in people] for people in bodies]
    everyone = [(image, person) for image, people in zip(images, whole, strict=True) for person in people]
    if networks.hand is not None:
        boxed = [
            (image, person[first : first + HAND], hand_box(person, arm, image.shape[:2]))
            for image, person in everyone
            for first, arm in ((FIRST_OF_LEFT, LEFT), (FIRST_OF_RIGHT, RIGHT))
        ]
        _fill(boxed, find_hands, networks.hand, device)
    if networks.face is not None:
        boxed = [(image, person[FIRST_OF_FACE:], face_box(person, image.shape[:2])) for image, person in everyone]
        _fill(boxed, find_faces, networks.face, device)
    return whole


def _fill(
    boxed: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32], Box | None]],
    find: Find,
    network: nn.Module,
    device: torch.device,
) -> None:
    """Write the points found in each box to where its person has them."""
    there = [(image, points, box) for image, points, box in boxed if box is not None]
    squares = [np.ascontiguousarray(box.cut(image)[..., ::-1]) for image, _, box in there]
    for (_, points, box), found in zip(there, find(squares, network, device), strict=True):
        seen = found[:, 2:] > 0
        points[:] = found + seen * np.array([box.x, box.y, 0], np.float32)
