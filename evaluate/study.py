"""A comparison of runs that differ in their training rows: the score by size, and what each step up bought."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from evaluate.adherence import ADHERENCE
from evaluate.alike import one_protocol, same_samples
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.measured import measure_all
from evaluate.measures.measure import Measure
from evaluate.render import count
from evaluate.scaling import Runs, Scaling, scaling_of, verdict
from evaluate.spec import Protocol, Spec, read_spec
from evaluate.statistics import Array, Interval, interval
from evaluate.summary import share, shares

COLUMNS = (FLOOR, CONTROLLED, CEILING)


@dataclass(frozen=True)
class Size:
    """One run of a study.

    Attributes:
        score: of the primary measure, with the control.
        normalised: the same between floor (0) and ceiling (1).
        gain: in the normalised score over the next smaller size, paired by sample; None for the smallest.
        gain_per_doubling: the same, shared out over how often the rows were doubled on the way.
    """

    spec: Spec
    folder: Path
    score: Interval
    normalised: Interval
    gain: Interval | None
    gain_per_doubling: Interval | None

    @property
    def epochs(self) -> float:
        """How often each training row was seen."""
        return self.spec.samples_seen / self.spec.rows


@dataclass(frozen=True)
class Comparison:
    """The numbers of a study, from small to large."""

    name: str
    protocol: Protocol
    measure: Measure
    samples: int
    floor: Interval
    ceiling: Interval
    sizes: tuple[Size, ...]
    gain: Interval  # in the normalised score, from the smallest size to the largest
    scaling: Scaling | None  # of the normalised score; None of fewer than three sizes, or where it is undefined


def compare(name: str, folders: Sequence[Path]) -> Comparison:
    """Put evaluations side by side, paired by sample.

    Args:
        name: of the study.
        folders: two finished evaluations or more, of different sizes and one protocol; another mix is refused.
    """
    runs = sorted(((read_spec(folder), folder) for folder in folders), key=lambda run: run[0].rows)
    protocol = one_protocol(runs)
    _check_sizes(runs)
    measure = ADHERENCE[protocol.annotator].primary
    measured = [measure_all(scores, measure, COLUMNS) for scores in same_samples([folder for _, folder in runs])]
    reached = [shares(of_run) for of_run in measured]
    sizes = []
    for place, (spec, folder) in enumerate(runs):
        step = _gain(reached[place - 1], reached[place]) if place else None
        doublings = float(np.log2(spec.rows / runs[place - 1][0].rows)) if place else 1.0
        sizes.append(
            Size(
                spec=spec,
                folder=folder,
                score=measured[place].interval(CONTROLLED),
                normalised=share(measured[place]),
                gain=step,
                gain_per_doubling=step and Interval(*(part / doublings for part in astuple(step))),
            )
        )
    floor, ceiling = (measured[0].interval(arm) for arm in (FLOOR, CEILING))
    gain = _gain(reached[0], reached[-1])
    scaling = _scaling([spec.rows for spec, _ in runs], reached)
    return Comparison(name, protocol, measure, measured[0].samples, floor, ceiling, tuple(sizes), gain, scaling)


def _scaling(rows: Sequence[int], reached: Sequence[tuple[Array, Array]]) -> Scaling | None:
    scores, replicates = np.array([value for value, _ in reached]), np.stack([again for _, again in reached], axis=1)
    if len(rows) < 3 or not (np.isfinite(scores).all() and np.isfinite(replicates).all()):
        return None
    return scaling_of(Runs(np.array(rows, np.float64), scores, replicates))


def pairs_in_words(scaling: Scaling) -> str:
    """How many pairs reach nine tenths of what the largest size reached, or that it can't be told."""
    last = scaling.means[-1].value
    named = f"of the way (nine tenths of what {count(int(scaling.sizes[-1]))} pairs reach)"
    return verdict(scaling, target=0.9 * last, unit=named)


def headline(comparison: Comparison) -> str:
    """Say in plain words what more rows bought."""
    first, before, last = comparison.sizes[0], comparison.sizes[-2], comparison.sizes[-1]
    if last.gain is None or not np.isfinite(last.gain.value):
        return "No verdict: floor and ceiling of this comparison coincide."
    shares = [f"{100 * size.normalised.value:.0f}%" for size in (first, last)]
    told = (
        f"From {count(first.spec.rows)} to {count(last.spec.rows)} training rows, {comparison.protocol.condition} "
        f"adherence {_judged(comparison.gain, ('rises', 'falls', 'goes'))} from {shares[0]} to {shares[1]} of the way "
        f"from no control to the best this base can draw."
    )
    end = _judged(last.gain, ("More rows still help", "The last rows did harm", "The last rows bought nothing sure"))
    points = [f"{100 * part:+.0f}" for part in (last.gain.value, last.gain.low, last.gain.high)]
    bought = f"{points[0]} points (95% interval {points[1]} to {points[2]})"
    return f"{told} {end}: the step up from {count(before.spec.rows)} bought {bought}."


def _judged(gain: Interval, words: tuple[str, str, str]) -> str:
    """The word for a gain, for a loss, and for an interval that spans zero."""
    gained, lost, unsure = words
    return gained if gain.low > 0 else lost if gain.high < 0 else unsure


def _check_sizes(runs: Sequence[tuple[Spec, Path]]) -> None:
    """Refuse two runs of one size."""
    for (one, home), (other, folder) in pairwise(runs):
        if one.rows == other.rows:
            raise ValueError(f"{home} and {folder}: both were trained on {one.rows} rows. Leave one of them out")


def _gain(before: tuple[Array, Array], after: tuple[Array, Array]) -> Interval:
    """From one run to another, of what all samples and each resample say."""
    return interval(float(after[0] - before[0]), after[1] - before[1])
