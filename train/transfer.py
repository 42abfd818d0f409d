"""Brings batches to the device one ahead of their use, so that the copy runs beside the computing."""

import time
from collections.abc import Iterator

import torch

from train.batches import Batch


def ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[tuple[Batch, float]]:
    """Hand out batches on `device`; on a GPU the next one is being copied meanwhile, on a stream of its own.

    Args:
        batches: on the CPU, pinned where the device is a GPU (else copies wait).

    Yields:
        The batch, and the seconds that were spent waiting for the loader.
    """
    if device.type != "cuda":
        yield from ((batch.to(device), waited) for batch, waited in _timed(batches))
        return
    side = torch.cuda.Stream(device)
    timed = _timed(batches)
    coming = _copied(next(timed, None), device, side)
    while coming is not None:
        batch, waited = coming
        torch.cuda.current_stream(device).wait_stream(side)
        for tensor in batch.on_device():
            tensor.record_stream(torch.cuda.current_stream(device))  # its memory is not reused while this stream reads
        coming = _copied(next(timed, None), device, side)
        yield batch, waited


def _copied(
    timed: tuple[Batch, float] | None, device: torch.device, side: torch.cuda.Stream
) -> tuple[Batch, float] | None:
    if timed is None:
        return None
    with torch.cuda.stream(side):
        return timed[0].to(device), timed[1]


def _timed(batches: Iterator[Batch]) -> Iterator[tuple[Batch, float]]:
    while True:
        asked = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - asked
