"""What a person sees of a run while it trains: its log, its progress bar, and what observers find."""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from accelerate.utils import broadcast_object_list
from tqdm import tqdm

from manifests.manifest import Manifest
from train.engine import Engine
from train.fit import Step
from train.span import Span
from train.watch.log import Log
from train.watch.meter import Meter
from train.watch.observe import DIVERGED, Findings, Observer


@dataclass(frozen=True)
class Seen:
    """A step, and what observers made of it."""

    number: int  # steps done
    best: float | None = None  # score of these weights, if they are the best so far
    stop: str = ""  # why training should end here; "" to go on


class Watch:
    """Looks at the steps of a run as they pass; the same in every process, of which the first writes."""

    def __init__(
        self, run: Path, engine: Engine, observers: Sequence[Observer], *, manifest: Manifest, meter: Meter
    ) -> None:
        self._run = run
        self._engine = engine
        self._observers = observers
        self._manifest = manifest
        self._meter = meter
        self._window: list[Step] = []
        self._log: Log | None = None
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, steps: Iterator[Step], span: Span) -> Iterator[Seen]:
        """Pass the steps on as they come, log each, and let observers look.

        Raises:
            ValueError: The loss is no number any more.
        """
        with ExitStack() as stack:
            if self._engine.accelerator.is_main_process:
                self._log = stack.enter_context(Log(self._run, self._engine.accelerator, start=span.start))
                self._bar = stack.enter_context(_bar(span, total=self._manifest.train.steps))
            for step in steps:
                self._window.append(step)
                due = [observer for observer in self._observers if observer.due(step.number)]
                last = step.number == span.steps
                if due or last or self._keeps(step.number) or len(self._window) >= self._manifest.watch.log_every:
                    self._write()
                yield self._seen(step.number, [self._look(observer, step.number) for observer in due])

    def _keeps(self, number: int) -> bool:
        return number % self._manifest.watch.checkpoint_every == 0

    def _write(self) -> None:
        """Read the losses of the steps that are done (which waits for the device), and log them."""
        window, self._window = self._window, []
        asked = time.perf_counter()
        losses = torch.stack([step.loss for step in window]).tolist()
        behind = time.perf_counter() - asked
        numbers = [step.number for step in window]
        if self._log is not None and self._bar is not None:
            rate = self._engine.optimizer.param_groups[0]["lr"]
            speed = self._meter(window, behind=behind)
            self._log.steps(numbers, losses, {"learning_rate": rate, **speed})
            _show(self._bar, speed, loss=losses[-1], steps=len(window))
        for number, loss in zip(numbers, losses, strict=True):
            if not math.isfinite(loss):
                raise ValueError(
                    f"{self._run}: the loss of step {number:,} is {loss}. The last checkpoint is from before. "
                    f"{DIVERGED}"
                )

    def _look(self, observer: Observer, number: int) -> Findings:
        found = observer(number)
        if self._log is not None and self._bar is not None:
            self._log.findings(found, step=number)
            for warning in found.warnings:
                self._bar.write(f"step {number:,}: {warning}", file=sys.stderr)
        return found

    def _seen(self, number: int, found: Sequence[Findings]) -> Seen:
        """What the first process found decides in every process."""
        if not found:
            return Seen(number)
        stop = "; ".join(each.stop for each in found if each.stop)
        best = next((each.best for each in found if each.best is not None), None)
        agreed = broadcast_object_list([Seen(number, best, stop)])[0]
        assert isinstance(agreed, Seen)
        return agreed


def _show(bar: "tqdm[NoReturn]", speed: dict[str, float], *, loss: float, steps: int) -> None:
    shown = {"images/s": "images_per_second", "waiting": "data_wait", "MFU": "mfu", "GB": "memory_gb"}
    named = {name: f"{speed[key]:.3g}" for name, key in shown.items() if key in speed}
    bar.set_postfix({"loss": f"{loss:.4f}", **named}, refresh=False)
    bar.update(steps)


def _bar(span: Span, *, total: int) -> "tqdm[NoReturn]":
    quiet = not sys.stderr.isatty()
    bar: tqdm[NoReturn] = tqdm(total=total, initial=span.start, unit="step", disable=quiet, dynamic_ncols=True)
    return bar
