"""What an annotator is: settings that are recorded, and a way to turn pictures into conditions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch

from annotate.stats import of_edges
from manifests.condition import Kind

IMAGE = "image"  # what most annotators read: the picture itself, resized
STORED = "stored"  # what some read instead: `annotate.stored.Stored`, the row of images/ as it lies there
PICTURES = (IMAGE, STORED)
Parameters = Mapping[str, Any]  # drawn for one row: name → int, float, str or bool
Condition = Any  # what manifests.condition.encode takes for the annotator's kind
Annotate = Callable[[Any, Sequence[Parameters]], list[Condition]]


@dataclass(frozen=True)
class Annotator:
    """Settings, recorded with every condition they make; the fields of a subclass are all that `--set` can change.

    Attributes:
        name: of the annotator, and of the family it makes unless the user names it.
        version: bumped when any output value can change: output is data.
        kind: how `manifests.condition` stores what it makes.
        parameters: what may differ from row to row, as Arrow types.
        stats: what is measured of every condition, as Arrow types.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    kind: ClassVar[Kind]
    parameters: ClassVar[dict[str, pa.DataType]] = {}
    stats: ClassVar[dict[str, pa.DataType]] = {"edge_density": pa.float32()}

    @property
    def reads(self) -> str:
        """`IMAGE`, `STORED`, or the name of the annotator whose conditions it reads."""
        return IMAGE

    @property
    def weights(self) -> tuple[str, ...]:
        """What it loads, by the names that `annotate.weights` finds: of single files, or of models in a folder."""
        return ()

    @property
    def labels(self) -> list[str]:
        """Names of the classes that it tells apart, by index; none where a condition holds no classes."""
        return []

    def check(self, resolution: int) -> None:
        """Refuse settings that do not go with the pictures' short side in pixels; 0: as they are stored.

        Raises:
            ValueError: they do not.
        """

    def draw(self, seed_key: str) -> dict[str, Any]:
        """Parameters of one row, a function of `seed_key` alone."""
        return {}

    def load(self, device: torch.device) -> Annotate:
        """Bind the settings; a learned annotator puts its weights on `device` here, once.

        Returns:
            A function of pictures [B, H, W, 3] uint8 RGB (or of conditions read, as an array of B, or of B `Stored`)
            and of B rows' parameters, to B conditions as `manifests.condition.encode` takes them.
        """
        raise NotImplementedError

    def measure(self, condition: Condition) -> dict[str, float]:
        """Stats of one condition.

        `edge_density`: mean of an edge map, from 0 (no edge) to 1 (all edge); of soft edges, their mass.
        """
        return of_edges(np.asarray(condition), 1.0 if self.kind == "binary" else 255.0)

    def empty(self, condition: Condition) -> bool:
        """Whether there is nothing in the condition: a fact about the picture, not an error."""
        return not np.asarray(condition).any()
