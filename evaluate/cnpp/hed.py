"""Soft edges as ControlNet++ scores them: HED of the picture drawn against HED of the real one."""

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.hed import WEIGHTS, Hed
from evaluate.cnpp.judge import Judge, Pictures, Rules, as_in_real
from evaluate.cnpp.similarity import ms_ssim
from evaluate.measures.measure import SIMILARITY, Measure, Score

Raster = NDArray[np.uint8]


def load(device: torch.device) -> Judge:
    """Put ControlNetHED on `device`: the network that the reward of ControlNet++ was trained with judges it, too.

    Its five side maps, their sigmoid and the eight bits of eval/utils.py:316-325 are those of our annotator, which
    takes the sigmoid in float64: three bytes in a million differ by one. Dividing by 255 and multiplying
    again (utils.py:325, eval/eval.py:199 and 245) changes no byte.
    """
    annotate = Hed().load(device)

    def find(pictures: Pictures) -> list[Raster]:
        """B maps [H, W] uint8, 255 a sure edge."""
        return annotate(pictures, [{"safe": False}] * len(pictures))

    return Judge(find=find, ask=as_in_real, score=hed_ssim)


def hed_ssim(asked: Raster, drawn: Raster) -> Score:
    """MS-SSIM of two maps [H, W] uint8; the mean over draws and prompts is that of eval/eval_edge.py:62, 98-104."""
    return Score(ms_ssim(asked, drawn))


HED = Rules(
    measure=Measure(
        name="hed_ssim@cnpp",
        title="HED SSIM as ControlNet++ has it",
        unit=SIMILARITY,
        higher_is_better=True,
        primary=True,
        meaning="MS-SSIM of soft edges; kind to empty maps.",
    ),
    factor=1,
    weights=(WEIGHTS,),
    packages=("torchmetrics",),
    load=load,
)
