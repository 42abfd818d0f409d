"""Normals: the angle between the one asked for and the one drawn."""

import numpy as np
from numpy.typing import NDArray

from evaluate.measures.measure import SHARE, Adherence, Measure, Score

Raster = NDArray[np.uint8]

NEAR = 11.25  # degrees: the strictest of the three usual bounds (Fouhey et al. 2013)
DEGREES = "degrees, 0 is perfect"


def score_normal(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score normals.

    Args:
        asked: [H, W, 3] uint8, (n + 1) * 127.5 of unit normals.
        drawn: [H, W, 3] uint8, in the same axes.

    Returns:
        `angle`, the mean over pixels in [0, 180] degrees, and `within_11_25`, a share of them.
    """
    apart = angles(asked, drawn)
    return {"angle": Score(float(apart.mean())), "within_11_25": Score(float((apart < NEAR).mean()))}


def angles(one: Raster, other: Raster) -> NDArray[np.float64]:
    """Degrees between the vectors of two maps [H, W, 3] uint8: [H, W] float64.

    By the arc tangent, which is exact at 0 where the arc cosine is not.
    """
    first, second = (normals.astype(np.float64) / 127.5 - 1 for normals in (one, other))
    across = np.linalg.norm(np.cross(first, second), axis=2)
    return np.asarray(np.degrees(np.arctan2(across, (first * second).sum(axis=2))))


NORMAL = Adherence(
    version=1,
    score=score_normal,
    measures=(
        Measure("angle", "angle between normals", DEGREES, False, True, "Mean angle between asked for and drawn."),
        Measure("within_11_25", "normals within 11.25 degrees", SHARE, True, False, "Pixels that face the same way."),
    ),
)
