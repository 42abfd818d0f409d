"""Normals: the angle between the one asked for and the one drawn."""

import numpy as np
from numpy.typing import NDArray

from evaluate.measures.measure import SHARE, Adherence, Measure, Score

Raster = NDArray[np.uint8]

BOUNDS = {"within_11_25": 11.25, "within_22_5": 22.5, "within_30": 30.0}  # degrees (Fouhey et al. 2013)
DEGREES = "degrees, 0 is perfect"


def score_normal(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score normals.

    Args:
        asked: [H, W, 3] uint8, (n + 1) * 127.5 of unit normals.
        drawn: [H, W, 3] uint8, in the same axes.

    Returns:
        `angle`, the mean over pixels in [0, 180] degrees, and shares of them: `within_11_25`, `within_22_5` and
        `within_30`.
    """
    apart = angles(asked, drawn)
    shares = {name: Score(float((apart < bound).mean())) for name, bound in BOUNDS.items()}
    return {"angle": Score(float(apart.mean())), **shares}


def angles(one: Raster, other: Raster) -> NDArray[np.float64]:
    """Degrees between the vectors of two maps [H, W, 3] uint8: [H, W] float64.

    By the arc tangent, which is exact at 0 where the arc cosine is not.
    """
    first, second = (normals.astype(np.float64) / 127.5 - 1 for normals in (one, other))
    across = np.linalg.norm(np.cross(first, second), axis=2)
    return np.asarray(np.degrees(np.arctan2(across, (first * second).sum(axis=2))))


NORMAL = Adherence(
    version=2,
    score=score_normal,
    likeness=lambda asked, drawn: -float(angles(asked, drawn).mean()),
    measures=(
        Measure(
            "angle", "angle between normals", DEGREES, False, True, "Mean angle, asked for to drawn.", span=(0.0, 180.0)
        ),
        Measure("within_11_25", "normals within 11.25 degrees", SHARE, True, False, "Pixels that face the same way."),
        Measure(
            "within_22_5", "normals within 22.5 degrees", SHARE, True, False, "Pixels that face much the same way."
        ),
        Measure("within_30", "normals within 30 degrees", SHARE, True, False, "Pixels that face about the same way."),
    ),
)
