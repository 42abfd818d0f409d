"""What ControlNet++ calls SSIM: multi-scale structural similarity, by torchmetrics with all its defaults."""

import numpy as np
import torch
from numpy.typing import NDArray

LEAST = 176  # pixels: 11 of the window times 16, as torchmetrics reckons for five scales


def ms_ssim(asked: NDArray[np.uint8], drawn: NDArray[np.uint8]) -> float:
    """MS-SSIM as in eval/eval_edge.py:62 and 79, in [0, 1]; printed as "SSIM", and kinder to nothing than to noise.

    Args:
        asked: [H, W] uint8.
        drawn: [H, W] uint8.

    Raises:
        ValueError: They are too small for its five scales.
    """
    # It takes a second to import in every process.
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    if min(asked.shape) < LEAST:
        raise ValueError(
            f"cnpp: the SSIM of ControlNet++ needs pictures of {LEAST} pixels, not of {min(asked.shape)}. "
            "Evaluate a run at its 512 pixels"
        )
    one, other = (torch.from_numpy(each)[None, None] / 255.0 for each in (drawn, asked))
    value = multiscale_structural_similarity_index_measure(one, other, data_range=1.0)
    assert isinstance(value, torch.Tensor)
    return float(value)
