"""RUN/monitor.jsonl: what the control monitor measured of every row, one line per look."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.storage import replace_text
from train.lines import read_lines

Array = NDArray[np.float64]

FILE = "monitor.jsonl"
DIGITS = 9  # significant ones, which hold a float32


@dataclass(frozen=True)
class Looks:
    """S looks at R fixed rows in 8 timestep bins; the losses are mean square errors, lower is better.

    Attributes:
        steps: [S] int64, ascending: after how many steps each look was.
        keys: R of them.
        alone: [S, R, 8] float64: loss of the base without control.
        control: [S, R, 8] float64: with each row's own hint.
        shuffled: [S, R, 8] float64: with another row's hint.
    """

    steps: NDArray[np.int64]
    keys: list[str]
    alone: Array
    control: Array
    shuffled: Array

    @property
    def gain(self) -> Array:
        """By how much the control lowers the loss, [S, R], mean over the bins; higher is better."""
        return np.asarray((self.alone - self.control).mean(axis=2))

    @property
    def hint(self) -> Array:
        """By how much the true hint lowers it against another row's, [S, R], mean over the bins; higher is better."""
        return np.asarray((self.shuffled - self.control).mean(axis=2))


class Record:
    """The file of a run that is under way, written by the first process."""

    def __init__(self, run: Path) -> None:
        self._path = run / FILE
        self._opened = False

    def write(self, step: int, keys: list[str], losses: dict[str, Array]) -> None:
        """Add a look; before the first one, drop what an interrupted run left of this step and later ones.

        Args:
            losses: "alone", "control" and "shuffled", each [R, 8] float64, finite.
        """
        if not self._opened:
            kept = [line for line in read_lines(self._path) if line["step"] < step]
            replace_text("".join(json.dumps(line) + "\n" for line in kept), self._path)
            self._opened = True
        line = {"step": step, "keys": keys, **{name: _rounded(values) for name, values in losses.items()}}
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def read_looks(run: Path) -> Looks | None:
    """Read the looks of a run, of the rows that all of them have; None where there was none."""
    lines = read_lines(run / FILE)
    if not lines:
        return None
    common = set.intersection(*({*line["keys"]} for line in lines))
    keys = [key for key in lines[-1]["keys"] if key in common]

    def stacked(name: str) -> Array:
        found = [dict(zip(line["keys"], line[name], strict=True)) for line in lines]
        return np.array([[rows[key] for key in keys] for rows in found], np.float64)

    steps = np.array([line["step"] for line in lines], np.int64)
    return Looks(steps, keys, stacked("alone"), stacked("control"), stacked("shuffled"))


def _rounded(values: Array) -> list[list[float]]:
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in values.tolist()]
