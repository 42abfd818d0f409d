"""A judge scores pictures drawn from held-out conditions; training asks for one by its entry point, and needs none."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from manifests.manifest import Manifest

GROUP, NAME = "pairmill.judges", "adherence"  # of the entry point


@dataclass(frozen=True)
class Verdict:
    """What a judge says of one picture.

    Attributes:
        score: of the judge's measure; NaN where the condition asks for nothing.
        found: [H, W, 3] uint8 RGB, the condition found in the picture, drawn as its hint.
    """

    score: float
    found: NDArray[np.uint8]


class Judge(Protocol):
    """Scores pictures against the conditions they were asked to obey."""

    @property
    def measure(self) -> str:
        """Name of what it measures, as "f1_1px"."""

    @property
    def higher_is_better(self) -> bool:
        """The direction of its scores."""

    def __call__(self, pictures: NDArray[np.uint8], numbers: Sequence[int]) -> list[Verdict]:
        """Score pictures.

        Args:
            pictures: [B, H, W, 3] uint8 RGB.
            numbers: of the row that each was drawn for, among those the judge was loaded for.
        """


class Load(Protocol):
    """What the entry point names."""

    def __call__(self, manifest: Manifest, rows: pa.Table, device: torch.device) -> Judge:
        """Load a judge; see `load_judge`."""


def load_judge(manifest: Manifest, rows: pa.Table, device: torch.device) -> Judge:
    """Load the judge of a manifest's condition.

    Args:
        rows: that pictures will be drawn for: columns key, shard, row.
        device: for learned annotators.

    Raises:
        ValueError: None is installed, or it can't judge such conditions on this machine; says the way out.
    """
    found = entry_points(group=GROUP, name=NAME)
    if not found:
        raise ValueError(
            f"no judge is installed (entry point '{NAME}' of {GROUP}). Install this checkout: make install"
        )
    load: Load = next(iter(found)).load()
    return load(manifest, rows, device)
