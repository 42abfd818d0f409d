"""Fit: optimiser steps over batches, one report after each."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor

from train.base import Base, encode_images, encode_tokens, place, sample_latents
from train.batches import Batch, Span
from train.control.control import Control
from train.diffusion import noised, sample_losses, signal_shares, target

PRECISIONS = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
WEIGHT_DECAY = 1e-2  # AdamW's defaults, as the paper's code leaves them


@dataclass(frozen=True)
class Engine:
    """What a step needs, on its device: the locked base, the control, and its optimiser."""

    accelerator: Accelerator
    base: Base
    control: torch.nn.Module  # as accelerate prepared it
    optimizer: torch.optim.Optimizer
    shares: Tensor  # [timesteps] float32: alpha-bar of the base's schedule

    @property
    def plain(self) -> Control:
        """The control without what accelerate wrapped around it."""
        model = self.accelerator.unwrap_model(self.control)
        assert isinstance(model, Control)
        return model


@dataclass(frozen=True)
class Step:
    """What is known after one optimiser step."""

    number: int  # steps done
    loss: float  # mean over every sample of the step, over all processes
    seconds: float
    waited: float  # seconds of these spent on data


def assemble(accelerator: Accelerator, base: Base, control: Control, *, learning_rate: float) -> Engine:
    """Put base and control on the device and give the control its optimiser."""
    place(base, device=accelerator.device, dtype=PRECISIONS[accelerator.mixed_precision])
    optimizer = torch.optim.AdamW(control.parameters(), lr=learning_rate, weight_decay=WEIGHT_DECAY, fused=True)
    prepared, prepared_optimizer = accelerator.prepare(control, optimizer)
    shares = signal_shares(base.scheduler).to(accelerator.device)
    return Engine(accelerator, base, prepared, prepared_optimizer, shares)


def fit(engine: Engine, batches: Iterator[Batch], span: Span, *, max_grad_norm: float | None = None) -> Iterator[Step]:
    """Train from the span's first step to its last.

    Args:
        batches: this process's, on any device, `span.micro_batches` for every step.
        max_grad_norm: longer gradients are cut to this length; the paper cuts none.

    Yields:
        One report per optimiser step, with the same loss in every process.
    """
    for done in range(span.start, span.steps):
        began = time.perf_counter()
        loss, waited = torch.zeros((), device=engine.accelerator.device), 0.0
        for position in range(span.micro_batches):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            with _syncing(engine, last=position == span.micro_batches - 1):
                loss += _backward(engine, batch.to(engine.accelerator.device), share=span.share)
        if max_grad_norm is not None:
            engine.accelerator.clip_grad_norm_(engine.control.parameters(), max_grad_norm)
        engine.optimizer.step()
        engine.optimizer.zero_grad(set_to_none=True)
        mean = float(engine.accelerator.reduce(loss, reduction="mean"))
        yield Step(done + 1, mean, time.perf_counter() - began, waited)


def losses(engine: Engine, batch: Batch) -> Tensor:
    """Compute the objective for each sample of a batch.

    Returns:
        [B] float32.
    """
    latents = latents_of(engine, batch)
    shares = engine.shares[batch.timesteps]
    answer = engine.control(
        noised(latents, batch.noise, shares),
        batch.timesteps,
        encode_tokens(engine.base, batch.tokens),
        batch.hints,
        batch.present,
    )
    prediction = engine.base.scheduler.config.prediction_type
    return sample_losses(answer, target(latents, batch.noise, shares, prediction=prediction))


def latents_of(engine: Engine, batch: Batch) -> Tensor:
    """Sample a batch's latents, [B, C, h, w] float32, scaled: from the moments that it brings, else from its pixels."""
    if batch.moments is not None:
        return sample_latents(engine.base, batch.moments, batch.posterior_noise)
    assert batch.pixels is not None, "a batch has moments or pixels"
    return encode_images(engine.base, batch.pixels, batch.posterior_noise)


def _backward(engine: Engine, batch: Batch, *, share: int) -> Tensor:
    # Divided by the whole share, not by this batch, so that micro-batches of any size add up to the mean.
    loss = losses(engine, batch).sum() / share
    engine.accelerator.backward(loss)
    return loss.detach()


def _syncing(engine: Engine, *, last: bool) -> AbstractContextManager[None]:
    return nullcontext() if last else engine.accelerator.no_sync(engine.control)
