"""What happens to a condition when its picture is resized, cropped or flipped."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from manifests.body import OTHER_SIDE
from manifests.condition import Condition, Kind
from manifests.figures import BODY, HAND, WHOLE_BODY, Poses, Segments, Size

Points = NDArray[np.float32]  # [N, 3] x, y, score
Move = Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]

# Which point of a flipped body each one becomes: right and left change places.
_HANDS_FLIPPED = [*range(BODY + HAND, BODY + 2 * HAND), *range(BODY, BODY + HAND)]
# The 68 points of the iBUG annotation, then the two pupils.
_FACE_FLIPPED = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1), 69, 68,
]  # fmt: skip
FLIPPED = [*OTHER_SIDE, *_HANDS_FLIPPED, *(BODY + 2 * HAND + point for point in _FACE_FLIPPED)]

NEAREST_KINDS = ("binary", "classes")  # between two of their values lies none


def resize_picture(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A picture [H, W, 3] uint8 RGB at another height and width: Lanczos up, area average down, as controlnet_aux does.

    Whoever measures a picture and whoever trains on it resize it by this, so that they see the same pixels.
    """
    if image.shape[:2] == size:
        return image
    grows = size[0] * size[1] > image.shape[0] * image.shape[1]
    way = cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size[::-1], interpolation=way), dtype=np.uint8)


def corner(offset: tuple[float, float], size: Size, side: int) -> tuple[int, int]:
    """The upper left pixel (row, column) of a square within a picture of `size`.

    Args:
        offset: (down, right) in [0, 1): where the square lies between the two ends.
        side: of the square, pixels; no more than the picture has.
    """
    top, left = (
        min(int(place * (length - side + 1)), length - side) for place, length in zip(offset, size, strict=True)
    )
    return top, left


def resize(kind: Kind, condition: Condition, size: Size) -> Condition:
    """A condition at another height and width: values of categories are kept, coordinates scaled.

    A point in the middle of a pixel stays in the middle of what that pixel becomes, as OpenCV resizes pictures.
    """
    if tuple(condition.shape[:2]) == size:
        return condition
    if isinstance(condition, Poses | Segments):
        down, across = (new / old for new, old in zip(size, condition.shape, strict=True))
        return moved(condition, size, lambda x, y: ((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5))
    way = cv2.INTER_NEAREST_EXACT if kind in NEAREST_KINDS else cv2.INTER_LINEAR
    resized = cv2.resize(condition, size[::-1], interpolation=way)
    return _unit(resized) if kind == "normal" else resized


def crop(condition: Condition, corner: tuple[int, int], size: Size) -> Condition:
    """The window of `size` whose top left pixel is `corner` (row, column); what lies outside is gone, lines are cut."""
    (top, left), (height, width) = corner, size
    if isinstance(condition, Poses):
        return _seen(_move_people(condition, size, lambda x, y: (x - left, y - top)))
    if isinstance(condition, Segments):
        return _cut(_move_lines(condition, size, lambda x, y: (x - left, y - top)))
    return np.ascontiguousarray(condition[top : top + height, left : left + width])


def flip(kind: Kind, condition: Condition) -> Condition:
    """Left and right exchanged: limbs change their names, normals the sign of x."""
    if isinstance(condition, Poses | Segments):
        across = condition.shape[1] - 1
        mirrored = moved(condition, condition.shape, lambda x, y: (across - x, y))
        return _renamed(mirrored) if isinstance(mirrored, Poses) else mirrored
    pixels = np.ascontiguousarray(condition[:, ::-1])
    if kind == "normal":
        pixels[..., 0] = 255 - pixels[..., 0]
    return pixels


def moved(figure: Poses | Segments, size: Size, move: Move) -> Poses | Segments:
    """A figure in a picture of another size, every point of it (x and y, [N] float32 each) moved alike."""
    return _move_people(figure, size, move) if isinstance(figure, Poses) else _move_lines(figure, size, move)


def _move_people(poses: Poses, size: Size, move: Move) -> Poses:
    people = []
    for person in poses.people:
        found = person[:, 2] > 0
        new_x, new_y = move(person[:, 0], person[:, 1])
        people.append(np.column_stack([new_x * found, new_y * found, person[:, 2]]).astype(np.float32))
    return Poses(size, tuple(people))


def _move_lines(segments: Segments, size: Size, move: Move) -> Segments:
    lines = segments.lines.copy()
    for x, y in ((0, 1), (2, 3)):
        lines[:, x], lines[:, y] = move(lines[:, x], lines[:, y])
    return Segments(size, lines)


def _seen(poses: Poses) -> Poses:
    """Points within the picture alone, and those who have any."""
    people = (np.where(_inside(person, poses.shape)[:, None], person, np.float32(0)) for person in poses.people)
    return Poses(poses.shape, tuple(person for person in people if person[:, 2].any()))


def _renamed(poses: Poses) -> Poses:
    return Poses(poses.shape, tuple(np.ascontiguousarray(person[FLIPPED[: len(person)]]) for person in poses.people))


def _inside(person: Points, size: Size) -> NDArray[np.bool_]:
    height, width = size
    x, y, score = person.T
    return (score > 0) & (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)


def _cut(segments: Segments) -> Segments:
    """Lines cut at the borders of the picture, by Liang and Barsky's parameters; those outside it are gone."""
    height, width = segments.shape
    start, end = segments.lines[:, :2], segments.lines[:, 2:4]
    way = end - start
    low, high = np.array([-0.5, -0.5], np.float32), np.array([width - 0.5, height - 0.5], np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - start) / way, (high - start) / way
    still = way == 0  # along this axis: either always between the borders or never
    within = (start >= low) & (start <= high)
    enter = np.where(still, np.where(within, 0, np.inf), np.minimum(first, second)).max(axis=1).clip(0)
    leave = np.where(still, np.where(within, 1, -np.inf), np.maximum(first, second)).min(axis=1).clip(max=1)
    kept = enter < leave
    ends = [start[kept] + way[kept] * place[kept, None] for place in (enter, leave)]
    return Segments(segments.shape, np.column_stack([*ends, segments.lines[kept, 4]]).astype(np.float32))


def _unit(normal: NDArray[Any]) -> NDArray[np.uint8]:
    """Normals of length one again, after interpolation."""
    vector = normal.astype(np.float32) / 127.5 - 1
    length = np.maximum(np.linalg.norm(vector, axis=2, keepdims=True), 1e-6)
    return np.rint(vector / length * 127.5 + 127.5).clip(0, 255).astype(np.uint8)


assert len(FLIPPED) == WHOLE_BODY
