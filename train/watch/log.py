"""The log of a run: a line of JSON per step and what accelerate's trackers show, cut back when a run goes on."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from accelerate import Accelerator

from manifests.storage import replace_text
from train.run_folder import LOG
from train.watch.observe import OBSERVED_FILE, Findings

TENSORBOARD = "tensorboard"


class Log:
    """RUN/log.jsonl, RUN/observed.jsonl and the tracker, written by the first process; to be used as a context."""

    def __init__(self, run: Path, accelerator: Accelerator, *, start: int) -> None:
        """Open the log after `start` steps; what an interrupted run logged beyond them is dropped."""
        self._file = continued(run / LOG, start)
        self._observed = continued(run / OBSERVED_FILE, start)
        self._accelerator = accelerator

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._observed.close()

    def steps(self, numbers: Sequence[int], losses: Sequence[float], shared: dict[str, float]) -> None:
        """Log optimiser steps, a line each.

        Args:
            numbers: of the steps, ascending.
            losses: of the steps.
            shared: what is known of them together.
        """
        for number, loss in zip(numbers, losses, strict=True):
            values = {"loss": loss, **shared}
            self._file.write(json.dumps({"step": number, **values}) + "\n")
            self._accelerator.log({f"train/{name}": value for name, value in values.items()}, step=number)
        self._file.flush()

    def findings(self, found: Findings, *, step: int) -> None:
        """Log what an observer found; its numbers are a line of RUN/observed.jsonl."""
        if found.numbers or found.warnings:
            said = {"warnings": found.warnings} if found.warnings else {}
            self._observed.write(json.dumps({"step": step, **found.numbers, **said}) + "\n")
            self._observed.flush()
        self._accelerator.log(found.numbers, step=step)
        for tracker in self._accelerator.trackers:
            if found.pictures and hasattr(tracker, "log_images"):
                how = {"dataformats": "NHWC"} if tracker.name == TENSORBOARD else {}
                tracker.log_images({name: picture[None] for name, picture in found.pictures.items()}, step=step, **how)


def continued(path: Path, start: int) -> TextIO:
    """Open lines of JSON for appending, without those of steps beyond `start`."""
    if path.is_file():
        lines = [line for line in path.read_text().splitlines() if _number(line) <= start]
        replace_text("".join(f"{line}\n" for line in lines), path)
    return path.open("a")


def _number(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except json.JSONDecodeError:  # the last line of a run that was killed while writing it
        return float("inf")
