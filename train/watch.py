"""What a person sees of a run while it trains: its log, its progress bar, and what observers find."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from accelerate.utils import broadcast_object_list
from tqdm import tqdm

from manifests.manifest import Manifest
from train.batches import Span
from train.fit import Engine, Step
from train.log import Log
from train.observe import Observer


def watch(
    steps: Iterator[Step], run: Path, engine: Engine, observers: Sequence[Observer], *, manifest: Manifest, span: Span
) -> Iterator[tuple[Step, str]]:
    """Pass the steps on as they come, log each, and let observers look.

    Yields:
        The step, and why training should end after it; "" where it should not.
    """
    main = engine.accelerator.is_main_process
    with ExitStack() as stack:
        log = stack.enter_context(_log(run, manifest, span)) if main else None
        bar = stack.enter_context(_bar(span)) if main else None
        for step in steps:
            if log and bar:
                log.step(step)
                rate = f"{span.batch_size / step.seconds:.1f}/s"
                bar.set_postfix(loss=f"{step.loss:.4f}", images=rate, refresh=False)
                bar.update()
            reasons = [_look(observer, step, log) for observer in observers if observer.due(step.number)]
            yield step, _agreed("; ".join(reason for reason in reasons if reason)) if reasons else ""


def _look(observer: Observer, step: Step, log: Log | None) -> str:
    """Let one observer look; give its reason to stop."""
    found = observer(step.number)
    if log:
        log.findings(found, step=step.number)
    return found.stop


def _agreed(reason: str) -> str:
    """What the first process says, in every process."""
    return str(broadcast_object_list([reason])[0])


def _log(run: Path, manifest: Manifest, span: Span) -> Log:
    return Log(run, start=span.start, batch_size=span.batch_size, learning_rate=manifest.train.learning_rate)


def _bar(span: Span) -> "tqdm[NoReturn]":
    quiet = not sys.stderr.isatty()
    bar: tqdm[NoReturn] = tqdm(total=span.steps, initial=span.start, unit="step", disable=quiet, dynamic_ncols=True)
    return bar
