"""Line drawings as ControlNet++ scores them: one side is inverted as a number, the other in eight bits that wrap."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.borrowed import borrow
from annotate.forward import forward
from annotate.lineart import WEIGHTS
from annotate.weights import fill, load_weights
from evaluate.cnpp.judge import Judge, Map, Pictures, Rules
from evaluate.cnpp.similarity import ms_ssim
from evaluate.measures.measure import SIMILARITY, Measure, Score

Ink = NDArray[np.float32]  # [H, W] in [0, 1]: 0 a line, 1 paper
Raster = NDArray[np.uint8]

# eval/eval.py:123 loads model.pth of the Space awacke1/Image-to-Line-Drawings. We take it for sk_model.pth, of which
# ControlNet names that Space as the source; the author's model.pth has, as others record it, its sha256.
FILE = WEIGHTS["realistic"]


def load(device: torch.device) -> Judge:
    """Put the generator of Chan et al. on `device`: the reward of ControlNet++ was trained with it."""
    network = fill(borrow("lineart").Generator(3, 1, 3), load_weights(FILE), FILE).to(device)

    @torch.inference_mode()
    def find(pictures: Pictures) -> list[Ink]:
        """Ink of pictures whose sides are multiples of 4."""
        images = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2) / 255.0
        return list(forward(network, images)[:, 0].cpu().numpy())

    return Judge(find=find, ask=ask, score=lineart_ssim)


def ask(hints: Pictures, real: Sequence[Map]) -> list[Raster]:
    """Of the real pictures' ink, lines bright: inverted as a number, then cut off to bytes (eval/eval.py:197-199)."""
    return [to_bytes(1 - ink) for ink in real]


def lineart_ssim(asked: Raster, drawn: Ink) -> Score:
    """MS-SSIM of lines asked for, [H, W] uint8 with 255 a line, and of ink drawn, saved as it is and then inverted."""
    return Score(ms_ssim(asked, inverted(to_bytes(drawn))))


def to_bytes(values: Ink) -> Raster:
    """[H, W] float32 in [0, 1] to uint8, cut off rather than rounded, as torchvision's `to_pil_image`."""
    return np.asarray((values * np.float32(255)).astype(np.uint8))


def inverted(ink: Raster) -> Raster:
    """`1 - x` of bytes, modulo 256 (eval/eval_edge.py:58-59), where 255 - x was meant.

    From 2 on it is 257 - x; but 0 becomes 1 and 1 becomes 0: the blackest lines are taken for paper.
    """
    return np.asarray(np.uint8(1) - ink)


LINEART = Rules(
    measure=Measure(
        name="lineart_ssim@cnpp",
        title="line-drawing SSIM as ControlNet++ has it",
        unit=SIMILARITY,
        higher_is_better=True,
        primary=True,
        meaning="MS-SSIM of line drawings, the blackest lines of the drawn one lost.",
    ),
    factor=1,
    weights=(FILE,),
    packages=("torchmetrics",),
    load=load,
)
