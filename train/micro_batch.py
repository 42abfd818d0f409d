"""The micro-batch finder: how many samples fit through one forward and backward pass, tried before the first step."""

from dataclasses import fields
from typing import Any

import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

from train.batches import Batch
from train.control.control import trained
from train.engine import Engine
from train.fit import backward

STATES = 2  # numbers that AdamW keeps for each parameter from its first step on


def find_micro_batch(engine: Engine, sample: Batch, *, share: int) -> int:
    """Find the largest half, quarter, … of a process's share of a step that fits into memory with what AdamW will keep.

    Args:
        sample: one sample, without a batch dimension, on the CPU; it stands for all.
        share: samples of a step in this process.

    Returns:
        Samples per forward pass, the same in every process: the smallest of what they found.

    Raises:
        ValueError: Not even one sample fits.
    """
    reserved = [torch.empty_like(parameter) for parameter in trained(engine.control) for _ in range(STATES)]
    size = share
    while size and not fits(engine, sample, size, passes=1 if size == share else 2):
        size //= 2
    del reserved
    if engine.accelerator.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(engine.accelerator.device)  # what did not fit is not the training's
    found = torch.tensor([size], device=engine.accelerator.device)
    smallest = int(torch.as_tensor(engine.accelerator.gather(found)).min())
    if not smallest:
        raise ValueError(
            "engine.micro_batch: not even one sample fits into memory. Take engine.recompute=all, or a lower resolution"
        )
    return smallest


def fits(engine: Engine, sample: Batch, size: int, *, passes: int = 1) -> bool:
    """Whether `size` samples go through forward and backward; leaves no gradient behind.

    Args:
        passes: 2 where a step has several, all but the first of which go beside the gradients of those before.
    """
    try:
        with engine.accelerator.no_sync(engine.control):  # each process tries for itself
            for _ in range(passes):
                backward(engine, repeated(sample, size).to(engine.accelerator.device), share=size)
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        return False
    finally:
        engine.optimizer.zero_grad(set_to_none=True)
        clear_device_cache(garbage_collection=True)
    return True


def repeated(sample: Batch, times: int) -> Batch:
    """A batch of one sample over and over."""
    values: dict[str, Any] = {field.name: getattr(sample, field.name) for field in fields(Batch)}
    repeats: dict[str, Any] = {
        name: None if value is None else torch.stack([value] * times) for name, value in values.items()
    }
    return Batch(**repeats)
