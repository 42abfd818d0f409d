"""Observers: what looks at a training between two steps, and what it finds."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DIVERGED = (  # the way out; what a run computes can't be changed when it goes on
    "Begin a new run (--run) with a lower train.learning_rate, with train.max_grad_norm=1, or with train.precision="
    "bf16 in the place of fp16"
)
OBSERVED_FILE = "observed.jsonl"  # in a run's folder: a line of JSON for each look that found numbers


@dataclass(frozen=True)
class Findings:
    """What an observer found after one step.

    Attributes:
        numbers: by name, as "control/gain".
        pictures: by name, [H, W, 3] uint8 RGB.
        warnings: what a person should know, a sentence each.
        best: score of these weights, if they are the best of the run so far.
        stop: why the training should end here; "" to go on.
    """

    numbers: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    best: float | None = None
    stop: str = ""


class Observer(Protocol):
    """Called between two steps, in every process of the run and in the same order.

    So it may use collectives; what the first process finds is what is logged, and what decides.
    """

    def due(self, step: int) -> bool:
        """Whether it wants to look after this step; alike in every process."""

    def __call__(self, step: int) -> Findings:
        """Look. It must leave weights, gradients and generators as they are."""
