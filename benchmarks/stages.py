"""Where the time of annotating goes: a clock for each stage, and one in front of and behind every network."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.modules import module as modules

STAGES = ("decode", "model", "around it", "encode")


class Clocks:
    """Seconds by stage. `seconds` reads a clock: of the wall, or of this process's time on a processor."""

    def __init__(self, device: torch.device, seconds: Callable[[], float]) -> None:
        self.device = device
        self.seconds = seconds
        self.spent: Counter[str] = Counter()
        self._depth = 0
        self._began = 0.0

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Time what is done inside."""
        began = self.seconds()
        yield
        self.spent[stage] += self.seconds() - began

    @contextmanager
    def on_networks(self) -> Iterator[None]:
        """Time every network that is called inside, as stage `model`; a network within another belongs to it."""
        hooks = [
            modules.register_module_forward_pre_hook(self._enter),
            modules.register_module_forward_hook(self._leave),
        ]
        yield
        for hook in hooks:
            hook.remove()

    def shares(self) -> dict[str, float]:
        """Of each stage, once `decode`, `annotate` and `encode` are timed; they add up to one."""
        spent = dict(self.spent)
        spent["around it"] = spent.pop("annotate") - spent.get("model", 0.0)
        total = sum(spent.values())
        return {stage: spent.get(stage, 0.0) / total for stage in STAGES}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.seconds()

    def _enter(self, *_: Any) -> None:
        if not self._depth:
            self._began = self._now()
        self._depth += 1

    def _leave(self, *_: Any) -> None:
        self._depth -= 1
        if not self._depth:
            self.spent["model"] += self._now() - self._began


def clock(device: torch.device, threads: int) -> Callable[[], float]:
    """One thread on a CPU is timed by its processor time, which others on the machine do not spoil."""
    return time.process_time if device.type == "cpu" and not threads else time.perf_counter
