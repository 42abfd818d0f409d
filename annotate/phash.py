"""Perceptual hashes, by which near-duplicates are found: 64 bits that resizing and recompressing hardly change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from annotate.annotator import STORED, Annotate, Annotator, Parameters
from annotate.stored import Stored
from manifests.condition import Kind
from manifests.figures import Scores

SIDE, KEPT = 32, 8  # of the shrunk picture, and of its lowest frequencies


@dataclass(frozen=True)
class Phash(Annotator):
    """Hash of the lowest frequencies of the brightness."""

    name: ClassVar[str] = "phash"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "scores"
    stats: ClassVar[dict[str, pa.DataType]] = {"phash": pa.int64()}

    @property
    def reads(self) -> str:
        """Rows of images/."""
        return STORED

    def load(self, device: torch.device) -> Annotate:
        """Nothing to load."""
        return hash_rows

    def measure(self, condition: Scores) -> dict[str, Any]:
        """`phash`: the 64 bits as a signed integer."""
        return dict(condition.values)

    def empty(self, condition: Scores) -> bool:
        """Every picture has one."""
        return False


def hash_rows(rows: Sequence[Stored], parameters: Sequence[Parameters]) -> list[Scores]:
    """Hashes of B rows."""
    return [Scores(row.image.shape[:2], {"phash": perceptual_hash(row.image)}) for row in rows]


def perceptual_hash(image: NDArray[np.uint8]) -> int:
    """pHash of a picture [H, W, 3] uint8 RGB (Zauner 2010): which of the lowest 8 x 8 frequencies exceed their median.

    Returns:
        64 bits as a signed integer, row by row, the first the highest.
    """
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:KEPT, :KEPT]
    return int(np.packbits(low > np.median(low)).view(">i8")[0])
