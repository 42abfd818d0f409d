"""Perceptual hashes as a family, by which near-duplicates are found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import torch

from annotate.annotator import STORED, Annotate, Annotator, Parameters
from annotate.hashing import STATS, describe, status
from annotate.stored import Stored
from manifests.condition import Kind
from manifests.figures import Scores
from manifests.splits.hashes import HASHES


@dataclass(frozen=True)
class Phash(Annotator):
    """Hashes of the lowest frequencies of the brightness, and what makes one copy better than another."""

    name: ClassVar[str] = HASHES
    version: ClassVar[int] = 2  # 1: of the whole picture alone, and of flat ones too
    kind: ClassVar[Kind] = "scores"
    stats: ClassVar[dict[str, pa.DataType]] = STATS

    @property
    def reads(self) -> str:
        """Rows of images/."""
        return STORED

    def load(self, device: torch.device) -> Annotate:
        """Nothing to load."""
        return hash_rows

    def measure(self, condition: Scores) -> dict[str, Any]:
        """Hashes as signed integers, none of what is flat; colour and stored bytes."""
        return dict(condition.values)

    def empty(self, condition: Scores) -> bool:
        """Whether the picture is too flat for a hash."""
        return status(dict(condition.values)) == "empty"


def hash_rows(rows: Sequence[Stored], parameters: Sequence[Parameters]) -> list[Scores]:
    """Hashes of B rows."""
    return [Scores(row.image.shape[:2], describe(row.data, row.image)) for row in rows]
