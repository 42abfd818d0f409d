"""Bars at the margins: letterbox, pillarbox, frames, of any one colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

LEVEL = 12  # grey levels by which a pixel of a bar may differ from the bar's level: JPEG rings beside its end
STRAYS = 0.02  # share of a bar's line that may differ more
BEGINS = 20  # grey levels by which the picture differs where it begins: a sky fades by less from line to line
JUMP = 0.3  # share of a line that does so, more than EDGE lines before: a thing on paper widens by less
EDGE = 3  # lines over which shrinking blurs the end of a bar
WITHIN = 9  # lines in which the picture begins: a block of JPEG that holds the end of a bar rings into the bar


def border(grey: NDArray[np.uint8]) -> float:
    """Share of a picture [H, W] uint8 that bars take, from 0 (none) to 1 (all of one level).

    A bar has one level from the picture's margin on, and ends along most of a line: white paper around a thing and a
    clear sky are no bars.
    """
    top, bottom = _bars(grey)
    left, right = (
        _bars(np.asarray(cv2.transpose(grey[top : len(grey) - bottom]))) if top + bottom < len(grey) else (0, 0)
    )
    inside = max(0, len(grey) - top - bottom) * max(0, grey.shape[1] - left - right)
    return 1 - inside / grey.size


def _bars(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """Lines of the bar at the top and of that at the bottom."""
    top = _bar(grey)
    return (top, 0) if top == len(grey) else (top, _bar(grey[::-1]))


def _bar(grey: NDArray[np.uint8]) -> int:
    """Lines of the bar at the top; all of them where there is nothing else."""
    level = int(np.median(grey[0]))
    if _strays(grey[:1], level, LEVEL)[0] > STRAYS:
        return 0
    ends = np.flatnonzero(_strays(grey, level, LEVEL) > STRAYS)
    if not len(ends):
        return len(grey)
    begin = int(ends[0])
    shares = np.concatenate([np.zeros(EDGE), _strays(grey[begin : begin + WITHIN], level, BEGINS)])
    return begin if (shares[EDGE:] - shares[:-EDGE]).max() >= JUMP else 0


def _strays(grey: NDArray[np.uint8], level: int, by: int) -> NDArray[np.float64]:
    """Share of every line [H] that differs from `level` by more."""
    far = cv2.inRange(grey, max(0, level - by), min(255, level + by))
    return 1 - np.asarray(cv2.reduce(far, 1, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel()) / 255
