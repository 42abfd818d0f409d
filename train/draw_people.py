"""People drawn as OpenPose's stick figures, as controlnet_aux draws them."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from manifests.figures import BODY, Poses

LIMBS = (  # pairs of joints, from 0
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85),
)  # fmt: skip
STICK, JOINT = 4, 4  # pixels: half the width of a limb, radius of a joint
DIMMED = 0.6  # of a limb's colour, so that joints stand out


def draw_people(condition: Poses) -> Tensor:
    """Draw people, limbs as ellipses and joints as discs in OpenPose's colours; later people lie on earlier ones.

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    canvas = np.zeros((*condition.shape, 3), np.uint8)
    for person in condition.people:
        draw_body(canvas, person[:BODY])
    return torch.from_numpy(canvas).permute(2, 0, 1).float().div(255).contiguous()


def draw_body(canvas: NDArray[np.uint8], body: NDArray[np.float32]) -> None:
    """Draw one body onto [H, W, 3] uint8 RGB."""
    for limb, colour in zip(LIMBS, COLOURS, strict=False):
        one, other = body[list(limb)]
        if not (one[2] and other[2]):
            continue
        (middle_x, middle_y), (across, down) = (one[:2] + other[:2]) / 2, one[:2] - other[:2]
        half = int(np.hypot(across, down) / 2)
        angle = int(np.degrees(np.arctan2(down, across)))
        outline = cv2.ellipse2Poly((int(middle_x), int(middle_y)), (half, STICK), angle, 0, 360, 1)
        cv2.fillConvexPoly(canvas, np.asarray(outline), [int(value * DIMMED) for value in colour])
    for (x, y, score), colour in zip(body, COLOURS, strict=True):
        if score:
            cv2.circle(canvas, (int(x), int(y)), JOINT, colour, thickness=-1)
