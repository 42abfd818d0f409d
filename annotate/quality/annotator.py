"""What can be wrong with a picture, as numbers for `where`: blur, grey, JPEG damage, flat tones, bars, size.

Read at the size stored, whatever the conditions are made at: damage is of the stored picture. On one core of an AMD
EPYC it measures about 200 photographs of half a megapixel a second, their decoding aside (docs/data-quality.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
import torch

from annotate.annotator import STORED, Annotate, Annotator, Parameters
from annotate.quality.blockiness import blockiness
from annotate.quality.borders import border
from annotate.quality.colour import chroma, colourfulness
from annotate.quality.compression import jpeg_quality
from annotate.quality.focus import noise, sharpness
from annotate.quality.tones import tones
from annotate.stored import Stored
from manifests.condition import Kind
from manifests.figures import Scores

SHARES = ("grey", "clipped", "border")
NUMBERS = ("sharpness", "noise", "colourfulness", "chroma_spread", "blockiness", "brightness", "contrast", "span")


@dataclass(frozen=True)
class Quality(Annotator):
    """Numbers about a picture's technical quality; what each means is said where it is computed."""

    name: ClassVar[str] = "quality"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "scores"
    stats: ClassVar[dict[str, pa.DataType]] = {
        **{name: pa.float32() for name in (*NUMBERS, *SHARES)},
        "jpeg_quality": pa.int32(),
        "short_side": pa.int32(),
        "megapixels": pa.float32(),
        "aspect": pa.float32(),
        "bytes_per_pixel": pa.float32(),
    }

    @property
    def reads(self) -> str:
        """Rows of images/."""
        return STORED

    def load(self, device: torch.device) -> Annotate:
        """Nothing to load."""
        return judge_rows

    def measure(self, condition: Scores) -> dict[str, Any]:
        """See `judge`."""
        return dict(condition.values)

    def empty(self, condition: Scores) -> bool:
        """Every picture has them."""
        return False


def judge_rows(rows: Sequence[Stored], parameters: Sequence[Parameters]) -> list[Scores]:
    """The numbers of B rows."""
    return [Scores(row.image.shape[:2], judge(row)) for row in rows]


def judge(row: Stored) -> dict[str, Any]:
    """The stats of one picture, by name; None where there is nothing to measure.

    `short_side` in pixels; `megapixels`, millions of pixels; `aspect`, width over height; `bytes_per_pixel`, of the
    encoded picture. The rest as `sharpness`, `noise`, `colourfulness`, `chroma`, `blockiness`, `tones`, `border` and
    `jpeg_quality` say.
    """
    image = row.image
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    return {
        "sharpness": sharpness(np.asarray(grey)),
        "noise": noise(np.asarray(grey)),
        "colourfulness": colourfulness(image),
        **chroma(image),
        "blockiness": blockiness(np.asarray(grey)),
        **tones(np.asarray(grey)),
        "border": border(np.asarray(grey)),
        "jpeg_quality": jpeg_quality(row.data),
        "short_side": min(height, width),
        "megapixels": height * width / 1e6,
        "aspect": width / height,
        "bytes_per_pixel": len(row.data) / (height * width),
    }
