"""Scribbles: soft edges thinned, then drawn again with a pen; as controlnet_aux does, or as drawn for each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from annotate.annotator import Annotate, Annotator
from annotate.draws import generator
from annotate.soft_edges import Share
from annotate.strokes import draw_strokes
from annotate.strokes_on_device import draw_strokes_on
from manifests.condition import Kind

Range = tuple[int, int]  # both ends included
WIDEST = 256  # pixels at 512: half the picture
Numbers = Sequence[float]


@dataclass(frozen=True)
class Scribble(Annotator):
    """How soft edges become strokes; without ranges, as controlnet_aux's detectors do with `scribble=True`.

    The ranges are the synthesis that the paper describes: edges above a random threshold, some of them not thinned,
    merged or weeded out first, parts left out, drawn with lines of random width. Each row's numbers are drawn from its
    key and recorded; its scribble is a function of them and of its soft edges alone. Lengths are in pixels of a picture
    512 high or wide, whichever is less, and scale with it.
    """

    name: ClassVar[str] = "scribble"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "binary"
    parameters: ClassVar[dict[str, pa.DataType]] = {
        "threshold": pa.int32(),
        "thinned": pa.bool_(),
        "growth": pa.int32(),
        "mask_share": pa.float64(),
        "mask_seed": pa.int32(),
        "line_width": pa.int32(),
    }
    stats: ClassVar[dict[str, pa.DataType]] = {"dark_share": pa.float32(), "strokes": pa.int32()}

    source: Literal["hed", "softedge"] = "hed"  # whose soft edges
    sigma: float = 3.0  # pixels: of the smoothing before thinning, and of controlnet_aux's pen
    threshold: int = 127  # of 255, after smoothing
    threshold_range: Range | None = None
    thinned_share: Share = 1.0  # of the rows; the others keep their edges as broad as they are
    growth_range: Range | None = None  # pixels by which edges grow before all else, or shrink if negative
    mask_share_range: tuple[float, float] | None = None  # share of the picture, in patches, that is left without stroke
    line_width_range: Range | None = None  # pixels
    seed: int = 0  # of the draws

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise ValueError(f"scribble: sigma {self.sigma} smooths nothing. Keep it above 0")
        _check("threshold", (self.threshold, self.threshold), (0, 254))
        _check("threshold_range", self.threshold_range, (0, 254))
        _check("growth_range", self.growth_range, (-WIDEST, WIDEST))
        _check("mask_share_range", self.mask_share_range, (0, 1))
        _check("line_width_range", self.line_width_range, (1, WIDEST))

    @property
    def reads(self) -> str:
        """Soft edges."""
        return self.source

    def draw(self, seed_key: str) -> dict[str, Any]:
        """The row's numbers; `line_width` 0 is controlnet_aux's pen."""
        rng = generator(self.seed, seed_key)
        masked = self.mask_share_range
        return {
            "threshold": _between(rng, self.threshold_range or (self.threshold, self.threshold)),
            "thinned": bool(rng.random() < self.thinned_share),
            "growth": _between(rng, self.growth_range or (0, 0)),
            "mask_share": float(rng.uniform(*masked)) if masked else 0.0,
            "mask_seed": _between(rng, (0, 2**31 - 1)) if masked else 0,
            "line_width": _between(rng, self.line_width_range or (0, 0)),
        }

    def load(self, device: torch.device) -> Annotate:
        """On a CPU OpenCV is both exact and fastest; elsewhere the whole batch is drawn on `device`."""
        if device.type == "cpu":
            return partial(draw_strokes, sigma=self.sigma)
        return partial(draw_strokes_on, sigma=self.sigma, device=device)

    def measure(self, condition: NDArray[np.uint8]) -> dict[str, float]:
        """`dark_share`: of the pixels, those drawn, were it ink on paper. `strokes`: connected ones."""
        return {"dark_share": float(condition.mean()), "strokes": cv2.connectedComponents(condition)[0] - 1}


def _between(rng: np.random.Generator, ends: Range) -> int:
    return int(rng.integers(ends[0], ends[1] + 1))


def _check(name: str, ends: Numbers | None, bounds: Numbers) -> None:
    if ends is not None and not bounds[0] <= ends[0] <= ends[1] <= bounds[1]:
        raise ValueError(
            f"scribble: {name} {list(ends)} is out of order or of bounds. Keep it within {bounds[0]} to {bounds[1]}"
        )
