"""A study's trainings put together: each way of training with its repeats, its score, its cost, and what beside it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate.adherence import ADHERENCE
from evaluate.alike import may_score_others, one_protocol, same_samples
from evaluate.anchors import CEILING, CONTROLLED, FLOOR, SPAN
from evaluate.course import Worst, appeared_at, worst_look
from evaluate.measured import Measured, measure_all
from evaluate.measures.measure import Measure
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Protocol, read_spec
from evaluate.statistics import Interval, interval
from evaluate.studies.cost import Cost, mean_cost
from evaluate.studies.pooled import Reached, corrected, less, pooled_shares, spread_between
from evaluate.studies.scaling import Runs, Scaling, scaling_of
from evaluate.summary import shares
from manifests.study import ROWS, Cell

TOLD = 0.05  # p below which two ways are told apart, corrected for as many comparisons as are made (Holm 1979)


@dataclass(frozen=True)
class Trained:
    """One finished training, judged in one way.

    Attributes:
        training: name of the training, the same for all that judge it.
        folder: of its evaluation.
        cost: of the training.
    """

    cell: Cell
    training: str
    folder: Path
    cost: Cost


@dataclass(frozen=True)
class Way:
    """One way of training and judging, over its repeats.

    Attributes:
        labels: by axis.
        runs: how many trainings.
        samples: how many were scored.
        measure: the primary one of what was scored.
        floor, ceiling: of the same samples.
        score: of that measure, mean over the trainings.
        share: of the way from floor to ceiling, likewise. Intervals of both know of samples and, where something was
            trained twice, of trainings.
        beside: share less that of the first way, paired by sample where both scored the same ones; None of the first.
        p: that `beside` is chance, corrected for as many ways as there are; None of the first.
        appeared: step at which control appeared, of each training; None where its monitor saw no such step.
        worst: the look at which its control was worth least to the base, mean over the trainings; None: nobody looked.
        cost: of a training, mean.
        folder: of the evaluation of its first repeat.
    """

    labels: Mapping[str, str]
    runs: int
    samples: int
    measure: Measure
    floor: Interval
    ceiling: Interval
    score: Interval
    share: Interval
    beside: Interval | None
    p: float | None
    appeared: tuple[float | None, ...]
    worst: Worst | None
    cost: Cost
    folder: Path

    @property
    def name(self) -> str:
        """Its labels in words."""
        return ", ".join(f"{int(label):,} rows" if axis == ROWS else label for axis, label in self.labels.items())


@dataclass(frozen=True)
class Grid:
    """The numbers of a study.

    Attributes:
        protocol: of the first way; the others' differ from it in what is varied alone.
        behind: the ways that are told from the one of the greatest share, corrected for as many as there are.
        between_runs: standard deviation of shares between trainings of one way; None where none was repeated.
        scaling: labels of the other axes, in words → growth with the number of rows; where rows are an axis of three
            values or more.
        failed: name of a training → why it has no score.
    """

    name: str
    axes: tuple[str, ...]
    protocol: Protocol
    ways: tuple[Way, ...]
    behind: tuple[Way, ...]
    between_runs: float | None
    scaling: Mapping[str, Scaling]
    failed: Mapping[str, str]

    @property
    def measure(self) -> Measure:
        """Of the first way."""
        return self.ways[0].measure

    @property
    def watched(self) -> bool:
        """Whether a control monitor looked at any of the trainings."""
        return any(way.worst for way in self.ways)

    @property
    def alike(self) -> bool:
        """Whether all ways are held against the same anchors."""
        first = self.ways[0]
        return all(
            (way.measure, way.floor, way.ceiling) == (first.measure, first.floor, first.ceiling) for way in self.ways
        )


def read_grid(
    name: str, trained: Sequence[Trained], *, failed: Mapping[str, str], varied: Collection[str] = (), seed: int = 0
) -> Grid:
    """Put the finished trainings of a study together.

    Args:
        name: of the study.
        trained: in the order of its cells; two or more, evaluated alike.
        failed: name of a training → why it has no score.
        varied: fields of the manifest in which they differ.
        seed: of what other trainings would change.

    Raises:
        ValueError: They were not evaluated alike; names the fields.
    """
    folders = [one.folder for one in trained]
    specs = [read_spec(folder) for folder in folders]
    protocol = one_protocol(list(zip(specs, folders, strict=True)), varied=varied)
    others = may_score_others(varied)
    tables = [read_scores(folder / SCORES_FILE) for folder in folders] if others else same_samples(folders)
    measures = [ADHERENCE[spec.protocol.annotator].primary for spec in specs]
    measured = [measure_all(table, measure, SPAN) for table, measure in zip(tables, measures, strict=True)]
    reached = [shares(*pair) for pair in zip(measured, measures, strict=True)]
    groups = _groups(trained)
    names = [
        tuple(sorted({trained[at].training for at in places if specs[at].protocol.method == "control"}))
        for places in groups
    ]
    spread = spread_between(names, groups, reached)
    pooled = pooled_shares(names, groups, reached, spread, seed)
    compared = [None, *corrected([less(own, pooled[0]) for own in pooled[1:]])]
    ways = [
        _way([trained[at] for at in places], measures[places[0]], [measured[at] for at in places], own, beside)
        for places, own, beside in zip(groups, pooled, compared, strict=True)
    ]
    axes = tuple(trained[0].cell.labels)
    scaling = _scaling(trained, reached) if ROWS in axes else {}
    between = spread.deviation if spread else None
    return Grid(name, axes, protocol, tuple(ways), _behind(ways, pooled), between, scaling, failed)


def _behind(ways: Sequence[Way], pooled: Sequence[Reached]) -> tuple[Way, ...]:
    """The ways that are told from the one that goes furthest."""
    known = [place for place, way in enumerate(ways) if np.isfinite(way.share.value)]
    if not known:
        return ()
    best = max(known, key=lambda place: ways[place].share.value)
    others = [place for place in known if place != best]
    compared = corrected([less(pooled[best], pooled[place]) for place in others])
    return tuple(ways[place] for place, (_, p) in zip(others, compared, strict=True) if p < TOLD)


def _way(
    runs: Sequence[Trained],
    measure: Measure,
    measured: Sequence[Measured],
    own: Reached,
    beside: tuple[Interval, float] | None,
) -> Way:
    """One way, of its trainings and what the measure says of each."""
    first, place = measured[0], SPAN.index(CONTROLLED)
    score = np.mean([each.value[place] for each in measured])
    again = np.mean([each.replicates[:, place] for each in measured], axis=0)
    if np.isfinite(own[1]).all():  # where there is a way to go, other trainings change the score with the share
        again = first.replicates[:, SPAN.index(FLOOR)] + own[1] * (
            first.replicates[:, SPAN.index(CEILING)] - first.replicates[:, SPAN.index(FLOOR)]
        )
    return Way(
        labels=runs[0].cell.labels,
        runs=len(runs),
        samples=first.samples,
        measure=measure,
        floor=first.interval(FLOOR),
        ceiling=first.interval(CEILING),
        score=interval(float(score), again),
        share=interval(float(own[0]), own[1]),
        beside=beside and beside[0],
        p=beside and beside[1],
        appeared=tuple(appeared_at(run.folder) for run in runs),
        worst=worst_look(run.folder for run in runs),
        cost=mean_cost([run.cost for run in runs]),
        folder=runs[0].folder,
    )


def _groups(trained: Sequence[Trained]) -> list[list[int]]:
    """Places of the repeats of each way, in the order in which ways first come."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(trained):
        groups.setdefault(tuple(one.cell.labels.values()), []).append(place)
    return list(groups.values())


def _scaling(trained: Sequence[Trained], reached: Sequence[Reached]) -> dict[str, Scaling]:
    """Growth with the number of rows, apart for each combination of the other axes."""
    others: dict[str, list[int]] = {}
    for place, one in enumerate(trained):
        words = ", ".join(label for axis, label in one.cell.labels.items() if axis != ROWS)
        others.setdefault(words, []).append(place)
    found = {}
    for words, places in others.items():
        rows = np.array([float(trained[at].cell.labels[ROWS]) for at in places])
        scores, again = np.array([reached[at][0] for at in places]), np.stack([reached[at][1] for at in places], axis=1)
        if len(np.unique(rows)) >= 3 and np.isfinite(scores).all() and np.isfinite(again).all():
            found[words] = scaling_of(Runs(rows, scores, again))
    return found
