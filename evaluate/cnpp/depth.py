"""Depth as ControlNet++ scores it: a prediction divided by its maximum against a hint stretched from its minimum."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from annotate.depth import load_transformers
from annotate.forward import forward
from evaluate.cnpp.judge import Judge, Map, Pictures, Rules
from evaluate.measures.measure import Measure, Score

Raster = NDArray[np.uint8]

MODEL = "Intel/dpt-large"  # eval/eval.py:119-120; the hints are of another network
LEVELS = "levels of 255, 0 is perfect"


def load(device: torch.device) -> Judge:
    """Put DPT-large on `device`, with the defaults of its image processor."""
    loaded = load_transformers(MODEL, device)
    network, processor = loaded["network"], loaded["processor"]

    @torch.inference_mode()
    def find(pictures: Pictures) -> list[Raster]:
        """B maps [H, W] uint8, 255 the nearest point."""
        inputs = processor(images=list(pictures), input_data_format="channels_last", return_tensors="pt")
        inverse = forward(lambda pixels: network(pixels).predicted_depth, inputs["pixel_values"].to(device))
        return [from_maximum(each, pictures.shape[1:3]) for each in inverse.cpu().numpy()]

    return Judge(find=find, ask=ask, score=depth_rmse)


def from_maximum(inverse: NDArray[np.float32], size: Sequence[int]) -> Raster:
    """A prediction by its maximum, cut off to bytes, then resized (eval/eval.py:255).

    Its minimum stays where it is, while that of the hint becomes 0: perfect depth does not score 0.

    Args:
        inverse: [h, w] float32 inverse depth, from 0.
        size: H and W of the picture.

    Returns:
        [H, W] uint8; all 0 where nothing is near.
    """
    share = inverse / np.float32(inverse.max() or 1)
    height, width = size
    levels = Image.fromarray((share * np.float32(255)).astype(np.uint8))
    return np.asarray(levels.resize((width, height), Image.Resampling.BILINEAR))


def ask(hints: Pictures, real: Sequence[Map]) -> list[Raster]:
    """The hints themselves, stretched: B of [H, W] uint8."""
    return [from_minimum(hint[..., 0]) for hint in hints]


def from_minimum(hint: Raster) -> Raster:
    """A hint [H, W] uint8 from 0 to 255, cut off to bytes (eval/eval.py:248-250 and 260); all 0 where it is flat."""
    raised = hint - hint.min()
    return np.asarray((raised / max(int(raised.max()), 1) * 255).astype(np.uint8))


def depth_rmse(asked: Raster, drawn: Raster) -> Score:
    """Root of the mean square of one picture (eval/eval_depth.py:24); neither scale nor shift is taken out.

    Args:
        asked: [H, W] uint8, 0 the farthest point.
        drawn: [H, W] uint8.

    Returns:
        In [0, 255]; the mean over draws and prompts is that of eval/eval_depth.py:28.
    """
    return Score(float(np.sqrt(np.square(drawn.astype(np.float64) - asked).mean())))


DEPTH = Rules(
    measure=Measure(
        name="depth_rmse@cnpp",
        title="depth RMSE as ControlNet++ has it",
        unit=LEVELS,
        higher_is_better=False,
        primary=True,
        meaning="Of 8-bit depth that is not aligned, so that perfect depth does not score 0.",
        span=(0.0, 255.0),
    ),
    factor=1,
    weights=(MODEL,),
    packages=("transformers", "pillow"),
    load=load,
)
