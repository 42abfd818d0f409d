"""Fit: optimiser steps over batches, one report after each."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from train.base import encode_images, sample_latents
from train.batches import Batch
from train.diffusion import noised, sample_losses, snr_weights, target
from train.engine import Engine
from train.span import Span
from train.transfer import ahead


@dataclass(frozen=True)
class Step:
    """What is known after one optimiser step."""

    number: int  # steps done
    loss: Tensor  # [] float32: mean over every sample of every process, on the device, which reading it waits for
    seconds: float
    waited: float  # seconds of these spent on data


def fit(engine: Engine, batches: Iterator[Batch], span: Span, *, max_grad_norm: float | None = None) -> Iterator[Step]:
    """Train from the span's first step to its last, without ever waiting for the device.

    Args:
        batches: this process's, on the CPU, `span.micro_batches` for every step.
        max_grad_norm: longer gradients are cut to this length; the paper cuts none.

    Yields:
        One report per optimiser step, with the same loss in every process.
    """
    device = engine.accelerator.device
    moved = ahead(batches, device)
    for done in range(span.start, span.steps):
        began = time.perf_counter()
        loss, waited = torch.zeros((), device=device), 0.0
        for position in range(span.micro_batches):
            batch, seconds = next(moved)
            waited += seconds
            with _syncing(engine, last=position == span.micro_batches - 1):
                loss += backward(engine, batch, share=span.share)
        if max_grad_norm is not None:
            engine.accelerator.clip_grad_norm_(engine.control.parameters(), max_grad_norm)
        engine.optimizer.step()
        engine.optimizer.zero_grad(set_to_none=True)
        engine.average.step()
        mean = engine.accelerator.reduce(loss, reduction="mean")
        yield Step(done + 1, torch.as_tensor(mean), time.perf_counter() - began, waited)


def losses(engine: Engine, batch: Batch) -> Tensor:
    """Compute the objective for each sample of a batch.

    Args:
        batch: on the engine's device, but for its tokens.

    Returns:
        [B] float32: mean square errors, weighed by timestep if min-SNR is on.
    """
    latents = latents_of(engine, batch)
    shares = engine.shares[batch.timesteps]
    answer = engine.control(
        noised(latents, batch.noise, shares),
        batch.timesteps,
        engine.text.encode(batch.tokens, engine.accelerator.device),
        batch.hints,
        batch.present,
    )
    prediction = engine.base.scheduler.config.prediction_type
    each = sample_losses(answer, target(latents, batch.noise, shares, prediction=prediction))
    return each if engine.min_snr is None else each * snr_weights(shares, gamma=engine.min_snr, prediction=prediction)


def latents_of(engine: Engine, batch: Batch) -> Tensor:
    """Draw latents from the posterior, read from the dataset or encoded now: [B, C, h, w] float32, scaled."""
    if batch.moments is not None:
        return sample_latents(engine.base, batch.moments, batch.posterior_noise)
    assert batch.pixels is not None, "a batch has pixels or moments"
    return encode_images(engine.base, batch.pixels, batch.posterior_noise)


def backward(engine: Engine, batch: Batch, *, share: int) -> Tensor:
    """Add the gradients of one batch; give its part of the step's loss, [] float32.

    Args:
        share: samples of the step in this process. Divided by it, not by this batch, so that micro-batches of any
            size add up to the mean.
    """
    loss = losses(engine, batch).sum() / share
    engine.accelerator.backward(loss)
    return loss.detach()


def _syncing(engine: Engine, *, last: bool) -> AbstractContextManager[None]:
    return nullcontext() if last else engine.accelerator.no_sync(engine.control)
