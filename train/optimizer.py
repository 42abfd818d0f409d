"""The optimiser: AdamW as the paper's code leaves it, fused, or with its state in eight bits."""

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

import torch

from manifests.train_settings import TrainSettings
from train.control.control import Group

WEIGHT_DECAY = 1e-2  # and betas (0.9, 0.999), eps 1e-8: AdamW's defaults, as the paper's code leaves them


def make_optimizer(groups: Sequence[Group], settings: TrainSettings) -> torch.optim.Optimizer:
    """Make the optimiser of a control's parameters.

    Args:
        groups: as `Control.parameter_groups` gives them.

    Raises:
        ValueError: It needs a package or a GPU that is not there.
    """
    plain = [dict(group) for group in groups]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(plain, lr=settings.learning_rate, weight_decay=WEIGHT_DECAY, fused=True)
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError(
            "train.optimizer: adamw_8bit needs the package bitsandbytes. Install it (pip install bitsandbytes), or "
            "take adamw"
        )
    if not torch.cuda.is_available():
        raise ValueError("train.optimizer: adamw_8bit needs a GPU, and there is none here. Take adamw")
    eight_bit: Any = importlib.import_module("bitsandbytes").optim.AdamW8bit
    optimizer: torch.optim.Optimizer = eight_bit(plain, lr=settings.learning_rate, weight_decay=WEIGHT_DECAY)
    return optimizer
