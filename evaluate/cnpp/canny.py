"""Canny edges as ControlNet++ scores them: kornia's, pixel on pixel, the draws of a prompt taken as one picture."""

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from evaluate.cnpp.judge import Judge, Pictures, Rules, as_in_real
from evaluate.measures.measure import SHARE, Measure, Pooled, Score, Weights, f1, with_value

Raster = NDArray[np.uint8]

LOW, HIGH = 0.1, 0.2  # of the gradient's magnitude (eval/eval.py:176-177)


def load(device: torch.device) -> Judge:
    """Nothing is loaded; edges are found on the CPU whatever the device, as in eval/eval.py:226-228."""
    return Judge(find=trace, ask=as_in_real, score=canny_f1)


def trace(pictures: Pictures) -> list[Raster]:
    """Edges by kornia.

    Its 0.7.0 (their requirements.txt) and 0.9.0 find the same in twelve photographs of 512 pixels. They break ties
    otherwise: of six drawings enlarged without interpolation four pixels in 100,000 differ.

    Args:
        pictures: [B, H, W, 3] uint8 RGB.

    Returns:
        B maps [H, W] uint8 in {0, 1}; 1 is an edge.
    """
    from kornia.filters import canny  # it takes seconds to import in every process

    images = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255.0
    return list(canny(images, LOW, HIGH)[1][:, 0].to(torch.uint8).numpy())


def canny_f1(asked: Raster, drawn: Raster) -> Score:
    """F1 of edge pixels, strict, so that a shift by one pixel is as bad as other edges; 0 where nobody has any.

    torchmetrics' BinaryF1Score of eval/eval_edge.py:34, whose `zero_division` is 0: a perfect answer to an empty
    condition counts as a wrong one.

    Args:
        asked: [H, W] uint8 in {0, 1}.
        drawn: [H, W] uint8 in {0, 1}.
    """
    right = float(np.count_nonzero(asked & drawn))
    counts = Score(0.0, right, float(np.count_nonzero(drawn)), right, float(np.count_nonzero(asked)))
    return with_value(counts, f1(counts))


def pool_prompts(rows: pa.Table) -> Pooled:
    """F1 over all draws of a prompt flattened together, then the mean over prompts (eval/eval_edge.py:34, 98-104).

    So a draw with many edges weighs more than one with few.

    Args:
        rows: of one arm, all draws of a prompt as often as each other.
    """
    _, first, prompt = np.unique(rows["key"].to_pylist(), return_index=True, return_inverse=True)
    right, drawn, asked = (
        np.bincount(prompt, weights=rows[column].to_numpy()) for column in ("matched_drawn", "drawn", "asked")
    )
    total = drawn + asked
    each = np.divide(2 * right, total, out=np.zeros_like(total), where=total > 0)

    def pooled(weights: Weights) -> NDArray[np.float64]:
        of_prompt = weights[:, first]  # the draws of a prompt are resampled together
        return np.asarray(of_prompt @ each / of_prompt.sum(axis=1))

    return pooled


CANNY = Rules(
    measure=Measure(
        name="canny_f1@cnpp",
        title="canny F1 as ControlNet++ has it",
        unit=SHARE,
        higher_is_better=True,
        primary=True,
        meaning="Edge pixels on the very pixel; mean over prompts.",
        pool=pool_prompts,
    ),
    factor=100,
    weights=(),
    packages=("kornia",),
    load=load,
)
