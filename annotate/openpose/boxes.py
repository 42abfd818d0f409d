"""Where the hands and the face of a body are: square boxes, as controlnet_aux's `util.py` (and OpenPose) guess them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.openpose.resizing import Size

Body = NDArray[np.float32]  # [18, 3] x, y, score
LEFT, RIGHT = (5, 6, 7), (2, 3, 4)  # shoulder, elbow, wrist
NOSE, EYES, EARS = 0, (14, 15), (16, 17)
SMALLEST = 20  # pixels: the side of a box worth looking into


class Box(NamedTuple):
    """A square in whole pixels: its top left corner and its side."""

    x: int
    y: int
    side: int

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What is in it, of [H, W, 3]."""
        return image[self.y : self.y + self.side, self.x : self.x + self.side]


def hand_box(body: Body, arm: tuple[int, int, int], size: Size) -> Box | None:
    """A box around the hand at the end of `arm`; None if a joint of the arm is missing, or it is too small.

    OpenPose's handDetector.cpp: a third of the forearm beyond the wrist, one and a half times the arm's longer half.
    """
    if not body[list(arm), 2].all():
        return None
    shoulder, elbow, wrist = body[list(arm), :2].astype(np.float64)
    x, y = wrist + 0.33 * (wrist - elbow)
    side = 1.5 * max(np.hypot(*(wrist - elbow)), 0.9 * np.hypot(*(elbow - shoulder)))
    return _within(max(x - side / 2, 0), max(y - side / 2, 0), (side, side), size)


def face_box(body: Body, size: Size) -> Box | None:
    """A box around the nose, as large as the eyes and ears are away; None without any of them, or if too small."""
    reaches = [(3.0, eye) for eye in EYES] + [(1.5, ear) for ear in EARS]
    found = [(factor, body[point, :2]) for factor, point in reaches if body[point, 2]]
    if not body[NOSE, 2] or not found:
        return None
    x, y = body[NOSE, :2].astype(np.float64)
    reach = max(factor * float(np.abs(point - body[NOSE, :2]).max()) for factor, point in found)
    # Theirs asks whether half the side leaves the picture: the box may stick out, and what is cut be no square.
    return _within(max(x - reach, 0), max(y - reach, 0), (reach, 2 * reach), size)


def _within(x: float, y: float, sides: tuple[float, float], size: Size) -> Box | None:
    """The box cut to the picture where `sides[0]` would leave it, else as large as `sides[1]`."""
    height, width = size
    probed, whole = sides
    side = min(width - x if x + probed > width else whole, height - y if y + probed > height else whole)
    return Box(int(x), int(y), int(side)) if side >= SMALLEST else None
