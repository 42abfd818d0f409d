"""How a tiny detector is trained: AdamW on augmented batches in one cycle of the learning rate, weights averaged."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from annotate.tiny.augment import augment
from annotate.tiny.data import Pictures

BATCH = 32
REMEMBERED = 0.05  # share of the steps over which weights are averaged: more, and a short training's start is in it
SAVE_EVERY = 200  # steps
SETTLE = 20  # batches
Loss = Callable[[nn.Module, Pictures], Tensor]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, and with which pictures and degradations."""

    steps: int
    rate: float  # of learning, at its peak
    seed: int


def fit(
    network: nn.Module, loss: Loss, pictures: Pictures, *, schedule: Schedule, save: Callable[[nn.Module, int], None]
) -> None:
    """Train `network`; `save` gets the averaged weights every so often and at the end, with the steps made."""
    steps, rng = schedule.steps, np.random.default_rng(schedule.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=schedule.rate, weight_decay=0.02, betas=(0.9, 0.98))
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, schedule.rate, total_steps=steps, pct_start=0.1)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(1 - 1 / (1 + REMEMBERED * steps)))
    network.train()
    recent = 0.0
    for step in range(1, steps + 1):
        batch = augment(take(pictures, rng.integers(0, len(pictures), BATCH)), rng)
        value = loss(network, batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        pace.step()
        averaged.update_parameters(network)
        recent += (float(value) - recent) / min(step, 50)
        if step % 50 == 0:
            log.info("step %d of %d: loss %.4f", step, steps, recent)
        if step % SAVE_EVERY == 0 or step == steps:
            settle(averaged.module, loss, pictures, rng)
            save(averaged.module, step)


@torch.no_grad()
def settle(network: nn.Module, loss: Loss, pictures: Pictures, rng: np.random.Generator) -> None:
    """Measure statistics of batch normalization anew: averaged weights are not normalized by averaged ones."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    network.train()
    for _ in range(SETTLE if norms else 0):
        loss(network, augment(take(pictures, rng.integers(0, len(pictures), BATCH)), rng))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def take(pictures: Pictures, chosen: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Pictures:
    """The pictures at these places."""
    return Pictures(**{field.name: getattr(pictures, field.name)[chosen] for field in fields(Pictures)})
