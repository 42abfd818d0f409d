"""The log of a run: one line of JSON and one TensorBoard point per step, cut back when a run goes on from before."""

import json
from pathlib import Path
from types import TracebackType
from typing import TextIO

from torch.utils.tensorboard import SummaryWriter

from manifests.storage import replace_text
from train.fit import Step
from train.observe import Findings


class Log:
    """RUN/log.jsonl and RUN/tensorboard/, to be used as a context."""

    def __init__(self, run: Path, *, start: int, batch_size: int, learning_rate: float) -> None:
        """Open the log after `start` steps; what an interrupted run logged beyond them is dropped."""
        self._file = _continued(run / "log.jsonl", start)
        self._observed = _continued(run / "observed.jsonl", start)
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=start + 1)
        self._batch_size = batch_size
        self._learning_rate = learning_rate

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._observed.close()
        self._board.close()

    def step(self, step: Step) -> None:
        """Log one optimiser step."""
        values = {
            "loss": step.loss,
            "images_per_second": round(self._batch_size / step.seconds, 3),
            "data_wait": round(step.waited / step.seconds, 4),  # share of the step spent on waiting for data
            "learning_rate": self._learning_rate,
        }
        self._file.write(json.dumps({"step": step.number, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(f"train/{name}", value, step.number)

    def findings(self, found: Findings, *, step: int) -> None:
        """Log what an observer found; its numbers are a line of RUN/observed.jsonl."""
        if found.numbers:
            self._observed.write(json.dumps({"step": step, **found.numbers}) + "\n")
            self._observed.flush()
        for name, value in found.numbers.items():
            self._board.add_scalar(name, value, step)
        for name, picture in found.pictures.items():
            self._board.add_image(name, picture, step, dataformats="HWC")


def _continued(path: Path, start: int) -> TextIO:
    """Open for appending, without the lines of steps beyond `start`."""
    if path.is_file():
        lines = [line for line in path.read_text().splitlines() if _number(line) <= start]
        replace_text("".join(f"{line}\n" for line in lines), path)
    return path.open("a")


def _number(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except json.JSONDecodeError:  # the last line of a run that was killed while writing it
        return float("inf")
