"""Where a drawn picture departs from its condition: the condition asked for and the one found, as one picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from manifests.condition import Kind

Picture = NDArray[np.uint8]  # [H, W, 3] RGB
LINES: tuple[Kind, ...] = ("binary", "soft", "keypoints", "lines")  # drawn bright on black
MISSED, FOUND_ONLY = np.array([0, 174, 239]), np.array([255, 106, 61])  # blue, orange: told apart by the colour-blind
LEGEND = {
    "lines": "white: asked for and found; blue: asked for, not found; orange: found, not asked for",
    "classes": "grey: the class asked for; orange: another one",
    "values": "black: as asked for; the brighter, the farther from it",
}


def error_map(kind: Kind, asked: Picture, found: Picture) -> Picture:
    """Draw the difference of two conditions of one kind, given as hints.

    Args:
        kind: of the conditions.
        asked: [H, W, 3] uint8 RGB, the hint of the condition asked for.
        found: the same, of the one annotated from the drawn picture.

    Returns:
        [H, W, 3] uint8 RGB, as `legend` explains it.
    """
    if kind in LINES:
        return _overlaid(asked.max(axis=2), found.max(axis=2))
    if kind == "classes":
        wrong = (asked != found).any(axis=2)
        grey = np.repeat(cv2.cvtColor(asked, cv2.COLOR_RGB2GRAY)[..., None] // 3 + 40, 3, axis=2)
        return np.where(wrong[..., None], FOUND_ONLY, grey).astype(np.uint8)
    apart = np.abs(asked.astype(np.int16) - found).max(axis=2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(apart, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def legend(kind: Kind) -> str:
    """What the colours of an error map mean, in words."""
    if kind in LINES:
        return LEGEND["lines"]
    return LEGEND["classes" if kind == "classes" else "values"]


def _overlaid(asked: NDArray[np.uint8], found: NDArray[np.uint8]) -> Picture:
    """Two maps of bright lines: what both have in white, the rest in the colour of whose it is."""
    one, other = (each.astype(np.float32)[..., None] / 255 for each in (asked, found))
    both = np.minimum(one, other)
    mixed = 255 * both + (one - both) * MISSED + (other - both) * FOUND_ONLY
    return np.asarray(mixed.round(), dtype=np.uint8)
