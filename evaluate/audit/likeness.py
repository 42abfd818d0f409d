"""How alike two conditions of one kind are: 1 if equal, less the further apart; explanations are compared by it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.adherence import ADHERENCE
from evaluate.measures.classes import score_classes
from evaluate.measures.depth import rank_correlation
from evaluate.measures.edges import score_edges
from evaluate.measures.lines import score_lines
from evaluate.measures.measure import Measure
from evaluate.measures.normal import angles
from evaluate.measures.people import score_people
from manifests.condition import Condition, Kind
from manifests.figures import Moments, Poses, Segments

STEPS = 2.0 / 65_535  # of its range: what depth loses when it is stored
SIDE = 64  # pixels of a depth map that are ranked
ROUNDED = 0.01  # of the spread of latents, and of each: what a sum in another order changes, and 16 bits
PIXELS = 0.01  # coordinates are stored as 32-bit floats

# Of the primary measure: what another version of a library, or a GPU, may change. On the machine that made a family,
# annotators give back the very same.
AGREES = {
    "f1_1px": 0.97,
    "recall_3px": 0.97,
    "soft_f1": 0.95,
    "rmse": 0.02,
    "angle": 1.0,
    "oks_f1": 0.9,
    "miou": 0.9,
    "line_f1": 0.85,
}


def are_same(kind: Kind, one: Condition, other: Condition) -> bool:
    """Whether two conditions are equal as far as they are stored."""
    if isinstance(one, Poses | Segments):
        figures = [figure.people if isinstance(figure, Poses) else (figure.lines,) for figure in (one, other)]
        shapes = [[np.shape(points) for points in figure] for figure in figures]
        if shapes[0] != shapes[1] or one.shape != other.shape:
            return False
        return all(np.allclose(mine, theirs, atol=PIXELS) for mine, theirs in zip(*figures, strict=True))
    if isinstance(one, Moments):
        room = ROUNDED * float(one.values.astype(np.float32).std())
        return one.views == other.views and np.allclose(one.values, other.values, rtol=ROUNDED, atol=room)
    if kind == "depth":
        room = STEPS * max(float(np.ptp(one)), 1e-12) + 1e-6 * float(np.abs(one).max())
        return bool(np.abs(one - other).max() <= room)
    return bool(np.array_equal(one, other))


def agreement(annotator: str, stored: Condition, again: Condition) -> tuple[Measure, float]:
    """The primary measure of adherence of an annotator, what is stored being asked for."""
    adherence = ADHERENCE[annotator]
    return adherence.primary, adherence.score(stored, again)[adherence.primary.name].value


def agrees(measure: Measure, value: float) -> bool:
    """Whether a primary measure is what the same annotator gives on the same picture."""
    bound = AGREES[measure.name]
    return value >= bound if measure.higher_is_better else value <= bound


def _edges(one: Any, other: Any) -> float:
    return score_edges(one, other)["f1_1px"].value


def _edges_to_the_pixel(one: Any, other: Any) -> float:
    return score_edges(one, other)["f1"].value


def _soft(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Their correlation, which a blur, a threshold or another gain leaves high."""
    first, second = (np.asarray(map_, np.float32) - float(map_.mean()) for map_ in (one, other))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.vdot(first, second)) / size if size else 0.0


def _ranks(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Rank correlation, of every so many pixels of a large map: ranking is what takes long."""
    step = max(1, min(one.shape) // SIDE)
    return rank_correlation(one[::step, ::step], other[::step, ::step])


def _normals(one: Any, other: Any) -> float:
    return 1 - float(angles(one, other).mean()) / 90


LIKENESS: dict[Kind, Callable[[Any, Any], float]] = {
    "binary": _edges,
    "soft": _soft,
    "depth": _ranks,
    "normal": _normals,
    "classes": lambda one, other: score_classes(one, other)["miou"].value,
    "keypoints": lambda one, other: score_people(one, other)["oks_f1"].value,
    "lines": lambda one, other: score_lines(one, other)["line_f1"].value,
}
TO_THE_PIXEL = LIKENESS | {"binary": _edges_to_the_pixel, "depth": rank_correlation}


def explains(better: float, plain: float, *, by: float = 0.25, least: float = 0.75) -> bool:
    """Whether an explanation leaves at most a share `by` of the difference, and no less likeness than `least`."""
    return better >= least and (1 - better) <= by * (1 - plain)
