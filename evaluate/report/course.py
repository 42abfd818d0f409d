"""The course of a training, as its control monitor saw it: when the control came to be worth something."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluate.statistics import Array, Interval, bootstrap
from manifests.storage import replace_text
from train.watch.convergence import find_rise
from train.watch.record import FILE, read_looks
from train.watch.verdict import verdict


@dataclass(frozen=True)
class ControlCourse:
    """What the monitor saw, with 95 % intervals over its fixed rows.

    Attributes:
        steps: [S] int64.
        gain: [S, 3] float64, value, low and high: by how much the control lowers the loss.
        hint: the same: by how much the true hint lowers it against another row's.
        said: when control appeared, in words.
    """

    steps: NDArray[np.int64]
    gain: Array
    hint: Array
    said: str


@dataclass(frozen=True)
class Worst:
    """The look at which a control was worth least: early damage to the base, if it was worth less than nothing.

    Attributes:
        step: after how many steps it was.
        worth: by what share of itself the control lowered the base's loss; below 0: raised it. The interval is over the
            monitor's fixed rows, and as wide as the worst of so many looks asks for.
    """

    step: int
    worth: Interval


def keep_course(run: Path, folder: Path) -> None:
    """Copy the monitor's record, where there is one, so that a report needs no run beside it."""
    if (run / FILE).is_file():
        replace_text((run / FILE).read_text(encoding="utf-8"), folder / FILE)


def read_control_course(folder: Path) -> ControlCourse | None:
    """The course as an evaluation keeps it; None where nobody looked, or only once."""
    looks = read_looks(folder)
    if looks is None or len(looks.steps) < 2 or len(looks.keys) < 2:
        return None
    return ControlCourse(looks.steps, _banded(looks.gain), _banded(looks.hint), verdict(folder))


def _banded(rows: Array) -> Array:
    """Means of [S, R] over the rows, with intervals: [S, 3]."""
    value, replicates = bootstrap(lambda weights: weights @ rows.T / weights.sum(axis=1, keepdims=True), rows.shape[1])
    return np.column_stack([value, *np.quantile(replicates, [0.025, 0.975], axis=0)])


def appeared_at(folder: Path) -> float | None:
    """The step at which the hint came to have half its final effect, as an evaluation keeps it; None if it did not."""
    looks = read_looks(folder)
    rise = find_rise(looks.steps, looks.hint) if looks and len(looks.steps) > 2 and len(looks.keys) > 1 else None
    return rise.step.value if rise else None


def worst_look(folders: Iterable[Path]) -> Worst | None:
    """The worst look at trainings of one way, mean over those that were looked at; None where nobody looked.

    Args:
        folders: of their evaluations, whose monitors looked at the same steps and rows, as repeats' do.
    """
    found = [looks for folder in folders if (looks := read_looks(folder)) is not None and len(looks.keys) > 1]
    if len({(*looks.steps.tolist(), *looks.keys) for looks in found}) != 1:
        return None
    gain = np.mean([looks.gain for looks in found], axis=0).T  # [R, S]
    alone = found[0].alone.mean(axis=2).T  # [R, S]
    values, again = bootstrap(lambda weights: (weights @ gain) / (weights @ alone), len(alone))
    place = int(values.argmin())
    value, reach = float(values[place]), float(_simultaneous(values, again)[place])
    return Worst(int(found[0].steps[place]), Interval(value, value - reach, value + reach))


def _simultaneous(values: Array, again: Array) -> Array:
    """How far intervals reach to each side so that 95 % of resamples [R, S] lie within all of them: [S]."""
    errors = again.std(axis=0, ddof=1)
    return errors * np.quantile(np.max(np.abs(again - values) / np.maximum(errors, 1e-300), axis=1), 0.95)
