"""People drawn as OpenPose's stick figures, as controlnet_aux draws them."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from manifests.body import DRAWN
from manifests.figures import BODY, HAND, Poses

COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85),
)  # fmt: skip
STICK, JOINT = 4, 4  # pixels: half the width of a limb, radius of a joint
DIMMED = 0.6  # of a limb's colour, so that joints stand out

BONES = tuple((0 if place % 4 == 0 else place, place + 1) for place in range(20))  # of a hand: five fingers of four
BONE_COLOURS = (  # all hues, as OpenCV rounds them
    (255, 0, 0), (255, 77, 0), (255, 153, 0), (255, 229, 0), (204, 255, 0), (128, 255, 0), (51, 255, 0), (0, 255, 25),
    (0, 255, 102), (0, 255, 179), (0, 255, 255), (0, 178, 255), (0, 102, 255), (0, 25, 255), (51, 0, 255),
    (128, 0, 255), (204, 0, 255), (255, 0, 230), (255, 0, 153), (255, 0, 77),
)  # fmt: skip
BONE, KNUCKLE, KNUCKLE_COLOUR = 2, 4, (0, 0, 255)  # pixels: width of a bone, radius of a point
DOT, DOT_COLOUR = 3, (255, 255, 255)  # of a face


def draw_people(condition: Poses) -> Tensor:
    """Draw people, limbs as ellipses and joints as discs in OpenPose's colours; later people lie on earlier ones.

    Pixel for pixel as controlnet_aux's `draw_poses`, which has coordinates as shares of the width and height, and so
    puts a few whole numbers a pixel to the left or higher.

    Returns:
        [3, H, W] float32 in [0, 1].
    """
    canvas = np.zeros((*condition.shape, 3), np.uint8)
    for person in condition.people:
        draw_body(canvas, person[:BODY])
        for hand in (person[BODY : BODY + HAND], person[BODY + HAND : BODY + 2 * HAND]):
            draw_hand(canvas, hand)
        _draw_points(canvas, person[BODY + 2 * HAND :], DOT, DOT_COLOUR)
    return torch.from_numpy(canvas).permute(2, 0, 1).float().div(255).contiguous()


def draw_body(canvas: NDArray[np.uint8], body: NDArray[np.float32]) -> None:
    """Draw one body onto [H, W, 3] uint8 RGB."""
    for limb, colour in zip(DRAWN, COLOURS, strict=False):
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


def draw_hand(canvas: NDArray[np.uint8], hand: NDArray[np.float32]) -> None:
    """Draw the 21 points of a hand, or none, onto [H, W, 3] uint8 RGB."""
    seen = _seen(hand)
    for bone, colour in zip(BONES, BONE_COLOURS, strict=True):
        if len(hand) and seen[list(bone)].all():
            (start_x, start_y), (end_x, end_y) = hand[list(bone), :2].astype(int).tolist()
            cv2.line(canvas, (start_x, start_y), (end_x, end_y), colour, thickness=BONE)
    _draw_points(canvas, hand, KNUCKLE, KNUCKLE_COLOUR)


def _draw_points(
    canvas: NDArray[np.uint8], points: NDArray[np.float32], radius: int, colour: tuple[int, int, int]
) -> None:
    for x, y in points[_seen(points), :2].astype(int).tolist():
        cv2.circle(canvas, (x, y), radius, colour, thickness=-1)


def _seen(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Points [N, 3] of hands and faces that are drawn: in controlnet_aux none in the first row or column is."""
    return (points[:, 2] > 0) & (points[:, :2] >= 1).all(1)
