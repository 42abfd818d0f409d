"""Control appears while the raw loss stays flat: a figure and a table of some runs, such as one with several seeds.

python benchmarks/convergence.py runs/seed-0 runs/seed-1 runs/seed-2 --out docs/convergence.png
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import matplotlib as mpl

mpl.use("agg")

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from typer import Argument, Option

from manifests.storage import replace
from pipelines.entry import run as run_as_command
from train.watch.convergence import Rise, find_rise
from train.watch.record import Looks, read_looks
from train.watch.verdict import with_interval

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe & Ito: told apart by everybody
SMOOTH = 30  # parts of a run over each of which its raw loss is averaged
HEAD = (
    *("run", "control appeared at step", "20 to 80 %, steps", "final hint effect", "final gain"),
    *("raw loss, after − before", "standard deviation of one step's raw loss"),
)


@dataclass(frozen=True)
class Course:
    """What a run logged of its raw loss, and what its monitor saw."""

    name: str
    steps: NDArray[np.int64]  # [N] of the raw loss
    loss: Array  # [N] mean square error, of each step's own batch
    looks: Looks
    rise: Rise | None  # of the hint's effect


def main(
    runs: Annotated[list[Path], Argument(help="folders of runs, each with a monitor")],
    out: Annotated[Path, Option(help="picture to write")] = ROOT / "docs/convergence.png",
) -> None:
    """Draw the runs and print their table: python benchmarks/convergence.py runs/seed-0 runs/seed-1"""
    courses = [read_course(run) for run in runs]
    figure = draw(courses)
    replace(lambda partial: figure.savefig(partial, format="png", dpi=150), out)
    for line in (HEAD, ["---"] * len(HEAD), *map(table_line, courses)):
        print(f"| {' | '.join(line)} |")
    print(f"\n{out}")


def read_course(run: Path) -> Course:
    """Read a run."""
    looks, log = read_looks(run), run / "log.jsonl"
    if looks is None or not log.is_file():
        raise ValueError(f"{run}: no run with a monitor is here. Train one with watch.monitor_every above 0")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = np.array([line["step"] for line in lines], np.int64)
    loss = np.array([line["loss"] for line in lines])
    return Course(run.name, steps, loss, looks, find_rise(looks.steps, looks.hint))


def table_line(course: Course) -> list[str]:
    """The cells of one run."""
    noise = f"{course.loss.std(ddof=1):.4f}"
    final = [_with_error(effect[-1]) for effect in (course.looks.hint, course.looks.gain)]
    if course.rise is None:
        return [course.name, f"not by {course.looks.steps[-1]:,}", "", *final, "", noise]
    rise = course.rise
    return [course.name, with_interval(rise.step), f"{rise.width:,.0f}", *final, change_of_loss(course, rise), noise]


def change_of_loss(course: Course, rise: Rise) -> str:
    """By how much the raw loss differs between the steps before the rise and those after, with its 95 % interval."""
    before = course.loss[course.steps < rise.early.value]
    after = course.loss[course.steps > rise.late.value]
    if min(len(before), len(after)) < 2:
        return "too few steps"
    error = np.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after))
    return f"{after.mean() - before.mean():+.4f} ± {1.96 * error:.4f}"


def draw(courses: list[Course]) -> Figure:
    """Draw the raw loss above, and below it what the monitor saw, over the same steps."""
    figure = Figure(figsize=(9, 6.4), layout="constrained", facecolor="white")
    loss, effect = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.4))
    for course, colour in zip(courses, _colours(len(courses)), strict=True):
        _draw_loss(loss, course, colour)
        _draw_effects(effect, course, colour)
        if course.rise is not None:
            for axes in (loss, effect):
                axes.axvspan(course.rise.step.low, _end(course), color=colour, alpha=0.15, linewidth=0)
                axes.axvline(course.rise.step.value, color=colour, linewidth=0.8)
    # The middle of the points: single batches far above it would press the rest flat.
    loss.set_ylim(0, 1.1 * float(np.quantile(np.concatenate([course.loss for course in courses]), 0.99)))
    loss.set_ylabel("raw training loss\n(mean square error)")
    loss.set_title("Raw loss of each step (points), and its mean over thirtieths of the run", fontsize=10, loc="left")
    effect.axhline(0, color="#666666", linewidth=0.8)
    effect.set_ylabel("loss saved on held-out rows\n(mean square error)")
    effect.set_title(
        "What the control saves on fixed rows and noise; upright: where half of the hint's effect is there (95 %)",
        fontsize=10,
        loc="left",
    )
    effect.set_xlabel("optimiser steps")
    effect.legend(fontsize=8, frameon=False, loc="best")
    for axes in (loss, effect):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e5e5", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def _end(course: Course) -> float:
    assert course.rise is not None
    return min(course.rise.step.high, float(course.looks.steps[-1]))


def _draw_loss(axes: Axes, course: Course, colour: str) -> None:
    parts = min(SMOOTH, len(course.steps))
    steps, means = (
        [float(part.mean()) for part in np.array_split(values, parts)] for values in (course.steps, course.loss)
    )
    axes.plot(course.steps, course.loss, ".", color=colour, alpha=0.2, markersize=2)
    axes.plot(steps, means, color=colour, linewidth=1.6)


def _draw_effects(axes: Axes, course: Course, colour: str) -> None:
    """The hint's effect as a full line and the gain as a dashed one, each with twice its standard error over rows."""
    looks = course.looks
    named = ((looks.hint, "-", "true hint against another row's"), (looks.gain, "--", "against no control"))
    for rows, style, label in named:
        mean, error = rows.mean(axis=1), rows.std(axis=1, ddof=1) / np.sqrt(rows.shape[1])
        axes.fill_between(looks.steps, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.1, linewidth=0)
        axes.plot(looks.steps, mean, style, color=colour, linewidth=1.6, label=f"{course.name}: {label}")


def _with_error(rows: Array) -> str:
    """Mean of [R] with its standard error."""
    return f"{rows.mean():.4f} ± {rows.std(ddof=1) / np.sqrt(len(rows)):.4f}"


if __name__ == "__main__":
    run_as_command(main)
