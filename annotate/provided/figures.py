"""Provided conditions that are people or lines: JSON, or a table's lists, in pixels of the picture."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.image import Picture
from annotate.opening import Unusable
from annotate.provided.placing import placed
from annotate.provided.reading import Cell, Reading
from manifests.body import COCO_OF_BODY, NECK
from manifests.figures import BODY, WHOLE_BODY, Poses, Segments, Size

MAX_JSON = 1 << 24  # bytes
MAX_PEOPLE, MAX_LINES = 1_000, 100_000
COCO = 17  # points of a person as COCO labels them
RIGHT_SHOULDER, LEFT_SHOULDER = 6, 5  # among COCO's
BAD_NUMBERS = (ValueError, TypeError, OverflowError, RecursionError)

Points = NDArray[np.float32]  # [N, 3] x, y, score


def read_people(cell: Cell, picture: Picture) -> Reading:
    """People of COCO's 17 points or OpenPose's 18 (or 130): x, y, and a score or COCO's visibility.

    A list of people, or an object that has it as `people` or `annotations`; each a list of points, or an object that
    has it as `keypoints` or `pose_keypoints_2d`; points as triples, or all numbers in a row.
    """
    found = _inner(_parsed(cell), "people", "annotations")
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise Unusable("json", "no list of people")
    if len(found) > MAX_PEOPLE:
        raise Unusable("too_many", f"{len(found)} people; the most is {MAX_PEOPLE}")
    people = [_person(_inner(person, "keypoints", "pose_keypoints_2d")) for person in found]
    seen = [person for person in people if person[:, 2].any()]
    points = np.concatenate([person[person[:, 2] > 0, :2] for person in seen] or [np.zeros((0, 2), np.float32)])
    condition = Poses(picture.full, tuple(seen))
    return Reading(placed(condition, picture, outside=_outside(points, picture.full)))


def read_lines(cell: Cell, picture: Picture) -> Reading:
    """Line segments: a list (or an object that has it as `lines`) of x1, y1, x2, y2 and perhaps a score."""
    found = _inner(_parsed(cell), "lines")
    if isinstance(found, Sequence) and len(found) > MAX_LINES:
        raise Unusable("too_many", f"{len(found)} lines; the most is {MAX_LINES}")
    lines = _numbers(found)
    if not lines.size:
        lines = np.zeros((0, 5), np.float32)
    if lines.ndim != 2 or lines.shape[1] not in (4, 5):
        raise Unusable("shape", f"lines of shape {lines.shape}; each is x1, y1, x2, y2 and perhaps a score")
    if lines.shape[1] == 4:
        lines = np.column_stack([lines, np.ones(len(lines), np.float32)])
    if (lines[:, 4] < 0).any() or (lines[:, 4] > 1).any():
        raise Unusable("values", "a score beyond 0 to 1")
    outside = _outside(lines[:, :4].reshape(-1, 2), picture.full)
    return Reading(placed(Segments(picture.full, lines), picture, outside=outside))


def body_of_coco(person: Points) -> Points:
    """COCO's 17 points as OpenPose's 18: the neck lies between the shoulders, and is as sure as the less sure one."""
    shoulders = person[[RIGHT_SHOULDER, LEFT_SHOULDER]]
    neck = np.append(shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())
    body = np.insert(person[list(COCO_OF_BODY)], NECK, neck, axis=0)
    return np.asarray(body * (body[:, 2:] > 0), np.float32)


def _person(found: Any) -> Points:
    numbers = _numbers(found)
    if numbers.ndim > 2 or numbers.size not in (3 * COCO, 3 * BODY, 3 * WHOLE_BODY) or (numbers.shape or (0,))[-1] == 1:
        raise Unusable("shape", f"a person of shape {numbers.shape}; there are {COCO}, {BODY} or {WHOLE_BODY} points")
    points = numbers.reshape(-1, 3)
    if (points[:, 2] < 0).any() or (points[:, 2] > 2).any():
        raise Unusable("values", "a score or visibility beyond 0 to 2")
    points[:, 2] = points[:, 2].clip(max=1)  # COCO: 1 labelled but hidden, 2 labelled and seen
    return body_of_coco(points) if len(points) == COCO else points * (points[:, 2:] > 0)


def _parsed(cell: Cell) -> Any:
    """JSON, or what a table's cell holds."""
    if not isinstance(cell, bytes | str):
        return cell
    if len(cell) > MAX_JSON:
        raise Unusable("too_long", f"{len(cell)} bytes of JSON; the most is {MAX_JSON}")
    try:
        return json.loads(cell)
    except BAD_NUMBERS as error:
        raise Unusable("json", f"{type(error).__name__}: {error}") from error


def _inner(found: Any, *names: str) -> Any:
    """What an object has under one of these names; anything else as it is."""
    if not isinstance(found, dict):
        return found
    return next((found[name] for name in names if found.get(name) is not None), None)


def _numbers(found: Any) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(found, np.float32)
    except BAD_NUMBERS as error:
        raise Unusable("json", f"{type(error).__name__}: {error}") from error
    if not np.isfinite(numbers).all():
        raise Unusable("values", "a coordinate or score is NaN, infinity or beyond 32-bit floats")
    return numbers


def _outside(points: NDArray[np.float32], size: Size) -> float:
    """Share of points [N, 2] that lie more than a pixel outside of the picture."""
    if not len(points):
        return 0.0
    height, width = size
    inside = (points >= -1).all(axis=1) & (points[:, 0] <= width) & (points[:, 1] <= height)
    return 1 - float(inside.mean())
