"""Soft edges: the overlap of two maps, and their likeness by scales."""

import numpy as np
import torch
from numpy.typing import NDArray

from evaluate.measures.measure import SHARE, SIMILARITY, Adherence, Measure, Score, f1, with_value

Raster = NDArray[np.uint8]

KERNEL = 11  # pixels: the Gaussian window of MS-SSIM (Wang et al. 2003)
BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of its five scales (Wang et al. 2003, section 3.2)


def score_soft_edges(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score soft edges.

    Args:
        asked: [H, W] uint8 in 0..255; 255 is a certain edge.
        drawn: [H, W] uint8 in 0..255.

    Returns:
        `soft_f1`, with min(asked, drawn) as the soft intersection, and `ms_ssim`; each in [0, 1].
    """
    return {"soft_f1": soft_f1(asked, drawn), "ms_ssim": Score(ms_ssim(asked, drawn))}


def soft_f1(asked: Raster, drawn: Raster) -> Score:
    """F1 of two soft maps, both [H, W] uint8 in 0..255, with its counts."""
    one, other = asked.astype(np.float64) / 255, drawn.astype(np.float64) / 255
    shared = float(np.minimum(one, other).sum())
    counts = Score(0.0, shared, float(other.sum()), shared, float(one.sum()))
    return with_value(counts, f1(counts))


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
    # It takes a second to import in every process, and only soft edges need it.
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


SOFT_EDGES = Adherence(
    version=2,
    score=score_soft_edges,
    likeness=lambda asked, drawn: soft_f1(asked, drawn).value,
    measures=(
        Measure("soft_f1", "soft-edge F1", SHARE, True, True, "Overlap of the two maps: F1 of their minimum."),
        Measure("ms_ssim", "soft-edge MS-SSIM", SIMILARITY, True, False, "Likeness by scales; kind to empty maps."),
    ),
)
