"""Thin edges and strokes: pixels of each map that have one of the other nearby."""

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluate.measures.measure import SHARE, Adherence, Measure, Score, f1, precision, recall, with_value

Raster = NDArray[np.uint8]

DIAGONALS = "diagonals of the picture, 0 is perfect"


def score_edges(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score thin edges, strictly and with a tolerance of one and of two pixels.

    Args:
        asked: [H, W] uint8 in {0, 1}; 1 is an edge.
        drawn: [H, W] uint8 in {0, 1}.

    Returns:
        `f1`, `f1_1px`, `f1_2px`, `precision_1px` and `recall_1px`, each in [0, 1].
    """
    strict, near, farther = (match(asked, drawn, radius=radius) for radius in (0, 1, 2))
    return {
        "f1": with_value(strict, f1(strict)),
        "f1_1px": with_value(near, f1(near)),
        "f1_2px": with_value(farther, f1(farther)),
        "precision_1px": with_value(near, precision(near)),
        "recall_1px": with_value(near, recall(near)),
    }


def score_scribble(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score strokes: how many of those asked for are there, within three pixels.

    Args:
        asked: [H, W] uint8 in {0, 1}; 1 is a stroke.
        drawn: [H, W] uint8 in {0, 1}.

    Returns:
        `recall_3px`, and `precision_3px`, which means less: a scribble leaves things out on purpose; each in [0, 1].
        `chamfer`, see there.
    """
    near = match(asked, drawn, radius=3)
    return {
        "recall_3px": with_value(near, recall(near)),
        "precision_3px": with_value(near, precision(near)),
        "chamfer": Score(chamfer(asked, drawn)),
    }


def chamfer(asked: Raster, drawn: Raster) -> float:
    """Chamfer distance of two sets of pixels, by the picture's diagonal.

    Args:
        asked: [H, W] uint8 in {0, 1}.
        drawn: [H, W] uint8 in {0, 1}.

    Returns:
        The mean of two means: how far each pixel of one set is from the nearest of the other. In [0, 1]: 0 where the
        sets are the same, 1 where just one is empty.
    """
    if not asked.any() or not drawn.any():
        return float(asked.any() != drawn.any())
    to_asked, to_drawn = (cv2.distanceTransform(1 - one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for one in (asked, drawn))
    apart = to_asked[drawn > 0].mean(dtype=np.float64) + to_drawn[asked > 0].mean(dtype=np.float64)
    return float(apart / 2 / np.hypot(*asked.shape))


def match(asked: Raster, drawn: Raster, *, radius: int) -> Score:
    """Count pixels of each of two binary maps that have one of the other within a square of `radius` pixels.

    Args:
        asked: [H, W] uint8 in {0, 1}.
        drawn: [H, W] uint8 in {0, 1}.
        radius: in pixels, by the larger of the two coordinates (Chebyshev).

    Returns:
        The four counts; the value is 0 and to be filled in.
    """
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    near_asked, near_drawn = cv2.dilate(asked, square), cv2.dilate(drawn, square)
    return Score(
        0.0,
        matched_drawn=float(np.count_nonzero((drawn > 0) & (near_asked > 0))),
        drawn=float(np.count_nonzero(drawn)),
        matched_asked=float(np.count_nonzero((asked > 0) & (near_drawn > 0))),
        asked=float(np.count_nonzero(asked)),
    )


def edge_likeness(asked: Raster, drawn: Raster) -> float:
    """F1 within a pixel, in [0, 1]."""
    return f1(match(asked, drawn, radius=1))


def stroke_likeness(asked: Raster, drawn: Raster) -> float:
    """F1 within three pixels, in [0, 1]: by recall alone the shortest strokes would win."""
    return f1(match(asked, drawn, radius=3))


EDGES = Adherence(
    version=2,
    score=score_edges,
    likeness=edge_likeness,
    measures=(
        Measure("f1_1px", "edge F1 within 1 px", SHARE, True, True, "Edges that agree to within a pixel."),
        Measure("f1", "edge F1, strict", SHARE, True, False, "Edges that agree on the very pixel."),
        Measure("f1_2px", "edge F1 within 2 px", SHARE, True, False, "Edges that agree to within two pixels."),
        Measure("precision_1px", "edge precision within 1 px", SHARE, True, False, "Of what was drawn, asked for."),
        Measure("recall_1px", "edge recall within 1 px", SHARE, True, False, "Of what was asked for, drawn."),
    ),
)
STROKES = Adherence(
    version=2,
    score=score_scribble,
    likeness=stroke_likeness,
    measures=(
        Measure("recall_3px", "stroke recall within 3 px", SHARE, True, True, "Of the strokes asked for, drawn."),
        Measure("precision_3px", "stroke precision within 3 px", SHARE, True, False, "Of those drawn, asked for."),
        Measure("chamfer", "chamfer distance of strokes", DIAGONALS, False, False, "How far apart strokes lie."),
    ),
)
