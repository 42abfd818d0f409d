"""How the tiny base's trainings draw batches and pace their learning rate against the clock."""

import math

import torch
from torch import Tensor

WARM_UP_STEPS = 100


def pace(share: float, step: int) -> float:
    """Multiplier of the learning rate: linear warm-up by steps, then a half cosine over the share of time spent."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def take(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` rows drawn with replacement from [N, ...]."""
    return rows[torch.randint(len(rows), (count,), generator=generator)]
