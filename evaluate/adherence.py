"""Adherence: agreement of the condition asked for with the one re-annotated, measurement against measurement."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from manifests.condition import Condition

Raster = NDArray[np.uint8]

KERNEL = 11  # pixels: the Gaussian window of MS-SSIM (Wang et al. 2003)
BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of its five scales (Wang et al. 2003, section 3.2)


@dataclass(frozen=True)
class Measure:
    """One number of adherence.

    Attributes:
        name: unique within its annotator.
        title: the same for people, as it stands under an axis.
        unit: what 1.0 means, in words.
        higher_is_better: the direction.
        primary: the one measure fixed beforehand for headlines; exactly one per annotator.
        meaning: one plain sentence for the report.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    primary: bool
    meaning: str


@dataclass(frozen=True)
class Score:
    """A value with the counts it was made from, so that other aggregates need no picture.

    Attributes:
        value: the measure, for one picture.
        matched_drawn: how much of what was drawn lies on what was asked; None where the measure has no counts.
        drawn: how much was drawn (edge pixels, or the sum of a soft map).
        matched_asked: how much of what was asked was drawn.
        asked: how much was asked.
    """

    value: float
    matched_drawn: float | None = None
    drawn: float | None = None
    matched_asked: float | None = None
    asked: float | None = None


@dataclass(frozen=True)
class Adherence:
    """The measures of one annotator; `version` is bumped when any value can change."""

    version: int
    measures: tuple[Measure, ...]
    score: Callable[[Condition, Condition], dict[str, Score]]  # asked for, drawn; as decoded

    @property
    def primary(self) -> Measure:
        """The measure of headlines, galleries and studies."""
        return next(measure for measure in self.measures if measure.primary)


def score_edges(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score thin edges, strictly and with a tolerance of one pixel.

    Args:
        asked: [H, W] uint8 in {0, 1}; 1 is an edge.
        drawn: [H, W] uint8 in {0, 1}.

    Returns:
        `f1`, `f1_1px`, `precision_1px` and `recall_1px`, each in [0, 1].
    """
    strict, near = match(asked, drawn, radius=0), match(asked, drawn, radius=1)
    return {
        "f1": with_value(strict, f1(strict)),
        "f1_1px": with_value(near, f1(near)),
        "precision_1px": with_value(near, precision(near)),
        "recall_1px": with_value(near, recall(near)),
    }


def score_scribble(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score strokes: how many of those asked for are there, within three pixels.

    Args:
        asked: [H, W] uint8 in {0, 1}; 1 is a stroke.
        drawn: [H, W] uint8 in {0, 1}.

    Returns:
        `recall_3px`, and `precision_3px`, which means less: a scribble leaves things out on purpose.
    """
    near = match(asked, drawn, radius=3)
    return {"recall_3px": with_value(near, recall(near)), "precision_3px": with_value(near, precision(near))}


def score_soft_edges(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score soft edges.

    Args:
        asked: [H, W] uint8 in 0..255; 255 is a certain edge.
        drawn: [H, W] uint8 in 0..255.

    Returns:
        `soft_f1`, with min(asked, drawn) as the soft intersection, and `ms_ssim`; each in [0, 1].
    """
    one, other = asked.astype(np.float64) / 255, drawn.astype(np.float64) / 255
    shared = float(np.minimum(one, other).sum())
    counts = Score(0.0, shared, float(other.sum()), shared, float(one.sum()))
    return {"soft_f1": with_value(counts, f1(counts)), "ms_ssim": Score(ms_ssim(asked, drawn))}


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


def precision(counts: Score) -> float:
    """The share of what was drawn that was asked for; 0 when nothing was drawn."""
    return _share(counts.matched_drawn, counts.drawn)


def recall(counts: Score) -> float:
    """The share of what was asked for that was drawn; 0 when nothing was asked (such rows are left out before)."""
    return _share(counts.matched_asked, counts.asked)


def _share(part: float | None, whole: float | None) -> float:
    assert part is not None, "this measure keeps no counts"
    assert whole is not None, "this measure keeps no counts"
    return part / whole if whole else 0.0


def f1(counts: Score) -> float:
    """Harmonic mean of precision and recall; 0 when both are."""
    one, other = precision(counts), recall(counts)
    return 2 * one * other / (one + other) if one + other else 0.0


def with_value(counts: Score, value: float) -> Score:
    """The same counts under a value made from them."""
    return Score(value, counts.matched_drawn, counts.drawn, counts.matched_asked, counts.asked)


def ms_ssim(asked: Raster, drawn: Raster) -> float:
    """Multi-scale structural similarity of two soft maps.

    Pictures too small for five scales use fewer (four at 128 pixels), their weights brought back to a sum of one:
    so values of different resolutions are not comparable.

    Args:
        asked: [H, W] uint8 in 0..255.
        drawn: [H, W] uint8 in 0..255.

    Returns:
        MS-SSIM in [0, 1]. It rewards emptiness: read it beside `soft_f1`.
    """
    # It takes a second to import in every process, and only HED needs it.
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    scales = max(count for count in range(1, len(BETAS) + 1) if count == 1 or _has_scales(min(asked.shape), count))
    betas = tuple(beta / sum(BETAS[:scales]) for beta in BETAS[:scales])
    one, other = (
        torch.from_numpy(np.ascontiguousarray(condition, np.float32) / 255)[None, None] for condition in (asked, drawn)
    )
    value = multiscale_structural_similarity_index_measure(one, other, data_range=1.0, betas=betas, kernel_size=KERNEL)
    assert isinstance(value, torch.Tensor)
    return float(value)


def _has_scales(side: int, count: int) -> bool:
    """Whether the window fits `count` scales of a picture; torchmetrics wants (count - 1)^2, which is more for four."""
    return side // max(2 ** (count - 1), (count - 1) ** 2) >= KERNEL


SHARE, SIMILARITY = "share, 0 to 1", "similarity, 0 to 1"

ADHERENCE: dict[str, Adherence] = {
    "canny": Adherence(
        version=1,
        score=score_edges,
        measures=(
            Measure("f1_1px", "edge F1 within 1 px", SHARE, True, True, "Edges that agree to within a pixel."),
            Measure("f1", "edge F1, strict", SHARE, True, False, "Edges that agree on the very pixel."),
            Measure("precision_1px", "edge precision within 1 px", SHARE, True, False, "Of what was drawn, asked for."),
            Measure("recall_1px", "edge recall within 1 px", SHARE, True, False, "Of what was asked for, drawn."),
        ),
    ),
    "hed": Adherence(
        version=1,
        score=score_soft_edges,
        measures=(
            Measure("soft_f1", "soft-edge F1", SHARE, True, True, "Overlap of the two maps: F1 of their minimum."),
            Measure("ms_ssim", "soft-edge MS-SSIM", SIMILARITY, True, False, "Likeness by scales; kind to empty maps."),
        ),
    ),
    "scribble": Adherence(
        version=1,
        score=score_scribble,
        measures=(
            Measure("recall_3px", "stroke recall within 3 px", SHARE, True, True, "Of the strokes asked for, drawn."),
            Measure("precision_3px", "stroke precision within 3 px", SHARE, True, False, "Of those drawn, asked for."),
        ),
    ),
}
