"""A comparison of runs that differ in their training rows: the score by size, and what each step up bought."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluate.adherence import ADHERENCE, Measure
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.render import count
from evaluate.report import SCORES_FILE
from evaluate.scores import matrix, read_scores
from evaluate.spec import Protocol, Spec, read_spec
from evaluate.statistics import Interval, interval, normalised, resampled_means
from manifests.difference import differences

COLUMNS = (FLOOR, CONTROLLED, CEILING)


@dataclass(frozen=True)
class Size:
    """One run of a study.

    Attributes:
        score: of the primary measure, with the control.
        normalised: the same between floor (0) and ceiling (1).
        gain: in the normalised score over the next smaller size, paired by sample; None for the smallest.
    """

    spec: Spec
    folder: Path
    score: Interval
    normalised: Interval
    gain: Interval | None

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


def compare(name: str, folders: Sequence[Path]) -> Comparison:
    """Put evaluations side by side, paired by sample.

    Args:
        name: of the study.
        folders: two finished evaluations or more, all of one protocol; another mix is refused.
    """
    runs = sorted(((read_spec(folder), folder) for folder in folders), key=lambda run: run[0].rows)
    protocol = _one_protocol(runs)
    measure = ADHERENCE[protocol.annotator].primary
    values = _values([folder for _, folder in runs], measure.name)
    means, resamples = values.mean(axis=0), resampled_means(values)
    shares, share_resamples = _shares(means), _shares(resamples)
    sizes = []
    for place, (spec, folder) in enumerate(runs):
        column = len(COLUMNS) * place + COLUMNS.index(CONTROLLED)
        sizes.append(
            Size(
                spec=spec,
                folder=folder,
                score=interval(float(means[column]), resamples[:, column]),
                normalised=interval(float(shares[place]), share_resamples[:, place]),
                gain=_gain(shares, share_resamples, place) if place else None,
            )
        )
    floor, _, ceiling = (interval(float(means[column]), resamples[:, column]) for column in range(len(COLUMNS)))
    return Comparison(name, protocol, measure, len(values), floor, ceiling, tuple(sizes))


def headline(comparison: Comparison) -> str:
    """Say in plain words what more rows bought."""
    first, last = comparison.sizes[0], comparison.sizes[-1]
    before, gain = comparison.sizes[-2], last.gain
    shares = [f"{100 * size.normalised.value:.0f}%" for size in (first, last)]
    told = (
        f"From {count(first.spec.rows)} to {count(last.spec.rows)} training rows, {comparison.protocol.condition} "
        f"adherence goes from {shares[0]} to {shares[1]} of the way from "
        "no control to the best this base can draw."
    )
    if gain is None or not np.isfinite(gain.value):
        return "No verdict: floor and ceiling of this comparison coincide."
    points = [f"{100 * part:+.0f}" for part in (gain.value, gain.low, gain.high)]
    bought = f"bought {points[0]} points (95% interval {points[1]} to {points[2]})"
    step = f"the last step up, from {count(before.spec.rows)}, {bought}"
    if gain.low > 0:
        return f"{told} More rows still help: {step}."
    if gain.high < 0:
        return f"{told} More rows did harm at the end: {step}."
    return f"{told} No gain can be told at the end: {step}."


def _one_protocol(runs: Sequence[tuple[Spec, Path]]) -> Protocol:
    """The protocol that all evaluations share."""
    if len(runs) < 2:
        raise ValueError("a comparison needs two evaluations or more. Evaluate another run")
    first, home = runs[0]
    for spec, folder in runs[1:]:
        if spec.protocol.fingerprint != first.protocol.fingerprint:
            fields = "; ".join(differences(asdict(first.protocol), asdict(spec.protocol)))
            raise ValueError(f"{home} and {folder} were not evaluated alike: {fields}. Evaluate one of them again")
    return first.protocol


def _values(folders: Sequence[Path], measure: str) -> NDArray[np.float64]:
    """Per-sample values of all runs side by side: [N, 3 * runs], each run's floor, controlled, ceiling."""
    tables = [matrix(read_scores(folder / SCORES_FILE), measure=measure, arms=COLUMNS) for folder in folders]
    for folder, (keys, _) in zip(folders, tables, strict=True):
        if keys != tables[0][0]:
            raise ValueError(f"{folder}: it scored other samples than {folders[0]}. Evaluate one of them again")
    return np.concatenate([values for _, values in tables], axis=1)


def _shares(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised scores: [..., 3 * runs] to [..., runs]."""
    grouped = means.reshape(*means.shape[:-1], -1, len(COLUMNS))
    return normalised(grouped[..., 1], floor=grouped[..., 0], ceiling=grouped[..., 2])


def _gain(shares: NDArray[np.float64], resamples: NDArray[np.float64], place: int) -> Interval:
    return interval(float(shares[place] - shares[place - 1]), resamples[:, place] - resamples[:, place - 1])
