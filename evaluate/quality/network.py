"""What a network of picture quality is: weights that may be absent, and what it sees in a batch of pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from manifests.family import Weights


@dataclass(frozen=True)
class Seen:
    """What a network sees in B pictures.

    Attributes:
        features: [B, F] float32.
        values: B, its score of each picture; None where it has none.
    """

    features: NDArray[np.float32]
    values: list[float | None]


See = Callable[[NDArray[np.uint8], Sequence[str]], Seen]  # pictures [B, H, W, 3] uint8 RGB with their captions


class Network(Protocol):
    """Settings of a network, which name its weights; it is sent to workers, so it holds none."""

    @property
    def title(self) -> str:
        """What it is, as it stands in the name of a measure."""

    @property
    def remedy(self) -> str:
        """Where its weights are to be had, the same words on every machine."""

    def weights(self) -> list[Weights]:
        """Its files on this machine.

        Raises:
            Missing: They are not all here.
            ValueError: They are not the ones they should be.
        """

    def load(self, device: torch.device) -> See:
        """Put it on `device`.

        Raises:
            ValueError: It can't be had, or can't be read.
        """
