"""Values: a condition holds what its kind allows, and as much of it as a measurement would."""

from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence, Pair
from evaluate.audit.of_rows import verdicts
from evaluate.audit.verdict import Verdict
from manifests.condition import NO_CLASS
from manifests.family import FamilyCard
from manifests.figures import Moments, Poses, Segments, Text

COARSE = 200  # of 65,535 steps: 8 bits stretched to 16 have none that lie nearer to each other,
TONES = 36  # nor have a few flat planes, of which a depth map may well be: so many values are no planes
LEVELS = 3  # a measurement of soft edges has more values than these
OFF_LENGTH, MANY = 0.15, 0.05  # a normal's length is 1; a share of pixels that may be off
OUTSIDE = 1.0  # pixels: how far beyond the border a point may lie


def find_values(card: FamilyCard, pair: Pair) -> str:
    """What is wrong with the values of a stored condition; "" if nothing."""
    if pair.row is None or pair.status == "failed":
        return ""
    if card.kind == "scores":
        odd = [
            name
            for name, value in (pair.row.get("stats") or {}).items()
            if isinstance(value, float) and not isfinite(value)
        ]
        return f"no number in {', '.join(odd)}" if odd else ""
    if pair.stored is None:
        return "does not decode"
    look = _LOOK[card.kind]
    cell = pair.row["condition"]
    return look(cell, pair.stored, card.labels) if pair.status == "ok" else ""


def check_values(evidence: Evidence) -> Iterator[Verdict]:
    """Every family."""
    yield from verdicts(
        evidence,
        "values",
        "hold values that a measurement of their kind has not",
        lambda card: (
            f"make it again: {card.command(evidence.dataset.root, refresh=True)}; where the corpus "
            "carried it, look for a conversion to 8 bits, a division by 255 or another list of classes"
        ),
    )


def _binary(cell: Any, stored: NDArray[Any], labels: list[str]) -> str:
    found = np.unique(_raw(cell))
    if not np.isin(found, (0, 255)).all():
        return "other values than 0 and 255"
    return "one value everywhere" if len(found) < 2 else ""


def _soft(cell: Any, stored: NDArray[Any], labels: list[str]) -> str:
    found = np.unique(stored)
    if len(found) < 2:
        return "one value everywhere"
    if found.max() <= 1:
        return "0 and 1 of 255 alone"
    if len(found) < LEVELS:
        return "two values alone, as of a threshold"
    return ""


def _depth(cell: Any, stored: NDArray[Any], labels: list[str]) -> str:
    steps = _raw(cell["image"])
    if steps.dtype != np.uint16 or steps.ndim != 2:
        return "not stored in 16 bits"
    if not (np.isfinite([cell["min"], cell["max"]]).all() and cell["min"] <= cell["max"]):
        return "a minimum and maximum that can't be"
    found = np.unique(steps)
    if len(found) < 2 or cell["min"] == cell["max"]:
        return "one value everywhere"
    is_coarse = len(found) >= TONES and np.diff(found.astype(np.int64)).min() >= COARSE
    return "steps as coarse as 8 bits" if is_coarse else ""


def _normal(cell: Any, stored: NDArray[Any], labels: list[str]) -> str:
    length = np.linalg.norm(stored.astype(np.float32) / 127.5 - 1, axis=2)
    if (np.abs(length - 1) > OFF_LENGTH).mean() > MANY:
        return "vectors that are no unit normals"
    return "one value everywhere" if (stored == stored[0, 0]).all() else ""


def _classes(cell: Any, stored: NDArray[Any], labels: list[str]) -> str:
    given = stored[stored != NO_CLASS]
    if labels and given.size and given.max() >= len(labels):
        return f"indices beyond the {len(labels)} classes"
    return ""


def _keypoints(cell: Any, stored: Poses, labels: list[str]) -> str:
    points = np.concatenate([*stored.people, np.zeros((0, 3), np.float32)])
    return _points(points[points[:, 2] > 0, :2], points[:, 2], stored.shape)


def _lines(cell: Any, stored: Segments, labels: list[str]) -> str:
    return _points(stored.lines[:, :4].reshape(-1, 2), stored.lines[:, 4], stored.shape)


def _points(points: NDArray[Any], scores: NDArray[Any], size: tuple[int, int]) -> str:
    if not (np.isfinite(points).all() and np.isfinite(scores).all()):
        return "coordinates that are not finite"
    if scores.size and (scores.min() < 0 or scores.max() > 1.01):  # sums of OpenPose's maps exceed 1 by a little
        return "scores beyond 0 to 1"
    if not len(points):
        return "status ok, and nothing in it"
    if points.min() < -OUTSIDE or (points > np.array(size[::-1]) - 1 + OUTSIDE).any():
        return "points beyond the picture"
    return "coordinates from 0 to 1, not in pixels" if len(points) > 1 and points.max() <= 1 else ""


def _text(cell: Any, stored: Text, labels: list[str]) -> str:
    return "" if stored.text.strip() else "no words"


def _latents(cell: Any, stored: Moments, labels: list[str]) -> str:
    if not np.isfinite(stored.values).all():
        return "moments that are not finite"
    if (stored.values[:, 1] < 0).any():
        return "deviations below 0"
    return "one value everywhere" if np.ptp(stored.values[:, 0]) == 0 else ""


_LOOK: dict[str, Callable[[Any, Any, list[str]], str]] = {
    "binary": _binary,
    "soft": _soft,
    "depth": _depth,
    "normal": _normal,
    "classes": _classes,
    "keypoints": _keypoints,
    "lines": _lines,
    "text": _text,
    "latents": _latents,
}


def _raw(cell: Any) -> NDArray[Any]:
    """Pixels as they are stored: [H, W], or [H, W, 3]."""
    return np.asarray(cv2.imdecode(np.frombuffer(cell["bytes"], np.uint8), cv2.IMREAD_UNCHANGED))
