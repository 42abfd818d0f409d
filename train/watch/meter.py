"""The meter: images a second, share of time spent on waiting for data, share of the device's arithmetic, memory."""

import resource
from collections.abc import Callable, Sequence

import torch

from train.fit import Step

# Dense bf16 or fp16 FLOP/s without sparsity, as NVIDIA's data sheets state them. By a part of the device's name.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12, "3090": 71e12}


class Meter:
    """Sums up windows of steps."""

    def __init__(self, *, batch_size: int, flops: Callable[[], float], device: torch.device, processes: int) -> None:
        """Measure steps.

        Args:
            batch_size: samples of a step, over all processes.
            flops: counts those of one sample's training step; asked at the end of the first window, not before the
                first step, for it takes a while.
            device: on which this process computes.
            processes: that share a step, a device each.
        """
        self._batch_size = batch_size
        self._count = flops
        self._flops: float | None = None
        self._device = device
        self._peak = peak_flops(device) * processes

    def __call__(self, window: Sequence[Step], *, behind: float = 0.0) -> dict[str, float]:
        """What a window of steps, in order and all done, says of its speed.

        Args:
            behind: seconds by which the device ended after the last step was handed to it.

        Returns:
            images_per_second; data_wait, a share of the time in [0, 1]; tflops, 10^12 FLOP/s over all devices; mfu, a
            share of what they could do, where that is known; memory_gb, the most that was in use so far, 10^9 bytes.
        """
        seconds = max(sum(step.seconds for step in window) + behind, 1e-9)
        rate = self._batch_size * len(window) / seconds
        values = {
            "images_per_second": round(rate, 3),
            "data_wait": round(sum(step.waited for step in window) / seconds, 4),
            "memory_gb": round(peak_memory(self._device) / 1e9, 3),
        }
        if self._flops is None:
            self._flops = self._count()
        values["tflops"] = round(rate * self._flops / 1e12, 4)
        if self._peak:
            values["mfu"] = round(rate * self._flops / self._peak, 4)
        return values


def peak_flops(device: torch.device) -> float:
    """What a device can do at most in half precision, FLOP/s; 0 where it is not known."""
    if device.type != "cuda":
        return 0.0
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAKS.items() if part in name), 0.0)


def peak_memory(device: torch.device) -> float:
    """The most memory that was in use so far, bytes: of the GPU, else of this process."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
