"""A study's trainings put together: each way of training with its repeats, its score, its cost, and what beside it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate.adherence import ADHERENCE
from evaluate.alike import may_score_others, one_protocol, same_samples
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.course import Worst, appeared_at, worst_look
from evaluate.measured import Measured, measure_all
from evaluate.measures.measure import Measure
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Protocol, read_spec
from evaluate.statistics import Array, Interval, interval
from evaluate.studies.cost import Cost, mean_cost
from evaluate.studies.scaling import Runs, Scaling, scaling_of
from evaluate.summary import shares
from manifests.study import ROWS, Cell

ARMS = (FLOOR, CONTROLLED, CEILING)
Reached = tuple[Array, Array]  # a share of all samples [], and of each resample [R]


@dataclass(frozen=True)
class Trained:
    """One finished training, judged in one way.

    Attributes:
        folder: of its evaluation.
    """

    cell: Cell
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
        share: of the way from floor to ceiling, mean over the trainings; its interval knows of samples and, where
            something was trained twice, of trainings.
        beside: share less that of the first way, paired by sample where both scored the same ones; None of the first.
        appeared: step at which control appeared in each training whose monitor saw it appear.
        worst: the look at which its control was worth least to the base, mean over the trainings; None: nobody looked.
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
    appeared: tuple[float, ...]
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
        between_runs: standard deviation of shares between trainings of one way; None where none was repeated.
        scaling: labels of the other axes, in words → growth with the number of rows; where rows are an axis of three
            values or more.
        failed: name of a training → why it has no score.
    """

    name: str
    axes: tuple[str, ...]
    protocol: Protocol
    ways: tuple[Way, ...]
    between_runs: float | None
    scaling: Mapping[str, Scaling]
    failed: Mapping[str, str]

    @property
    def measure(self) -> Measure:
        """Of the first way."""
        return self.ways[0].measure

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
        seed: of what other trainings would change, drawn as `evaluate.studies.scaling` does.

    Raises:
        ValueError: They were not evaluated alike; names the fields.
    """
    folders = [one.folder for one in trained]
    specs = [read_spec(folder) for folder in folders]
    protocol = one_protocol(list(zip(specs, folders, strict=True)), varied=varied)
    others = may_score_others(varied)
    tables = [read_scores(folder / SCORES_FILE) for folder in folders] if others else same_samples(folders)
    measures = [ADHERENCE[spec.protocol.annotator].primary for spec in specs]
    measured = [measure_all(table, measure, ARMS) for table, measure in zip(tables, measures, strict=True)]
    reached = [shares(each) for each in measured]
    groups = _groups(trained)
    between = _between_runs([[float(reached[at][0]) for at in places] for places in groups])
    pooled = _pooled(
        [[trained[at].cell.training for at in places] for places in groups], groups, reached, between, seed
    )
    ways = [
        _way([trained[at] for at in places], measures[places[0]], [measured[at] for at in places], own, pooled[0])
        for places, own in zip(groups, pooled, strict=True)
    ]
    axes = tuple(trained[0].cell.labels)
    scaling = _scaling(trained, reached) if ROWS in axes else {}
    return Grid(name, axes, protocol, tuple(ways), between, scaling, failed)


def _way(runs: Sequence[Trained], measure: Measure, measured: Sequence[Measured], own: Reached, first: Reached) -> Way:
    """One way, of its trainings and what the measure says of each; beside the first way, unless it is that."""
    place = ARMS.index(CONTROLLED)
    score = np.mean([each.value[place] for each in measured])
    again = np.mean([each.replicates[:, place] for each in measured], axis=0)
    return Way(
        labels=runs[0].cell.labels,
        runs=len(runs),
        samples=measured[0].samples,
        measure=measure,
        floor=measured[0].interval(FLOOR),
        ceiling=measured[0].interval(CEILING),
        score=interval(float(score), again),
        share=interval(float(own[0]), own[1]),
        beside=None if own is first else interval(float(own[0] - first[0]), own[1] - first[1]),
        appeared=tuple(step for run in runs if (step := appeared_at(run.folder)) is not None),
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


def _between_runs(shares_: Sequence[Sequence[float]]) -> float | None:
    """Standard deviation of trainings around the mean of their way, over all ways."""
    free = sum(len(of_way) - 1 for of_way in shares_)
    squares = sum(float(np.var(of_way)) * len(of_way) for of_way in shares_)
    return float(np.sqrt(squares / free)) if free else None


def _pooled(
    trainings: Sequence[Sequence[str]],
    groups: Sequence[Sequence[int]],
    reached: Sequence[Reached],
    between: float | None,
    seed: int,
) -> list[Reached]:
    """The mean share of each way, of all samples and of each resample, the latter with what other trainings change.

    Ways of the same trainings, judged otherwise, get the same change: it is none between them.
    """
    generator, changes, found = np.random.default_rng(seed), dict[tuple[str, ...], Array](), []
    for names, places in zip(trainings, groups, strict=True):
        value = np.mean([reached[at][0] for at in places], axis=0)
        again = np.mean([reached[at][1] for at in places], axis=0)
        if between is not None:
            if tuple(names) not in changes:
                changes[tuple(names)] = generator.normal(0, between / np.sqrt(len(places)), again.shape)
            again = again + changes[tuple(names)]
        found.append((value, again))
    return found


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


def verdicts(grid: Grid) -> list[str]:
    """What each way but the first is worth beside it, a sentence each."""
    first, *others = grid.ways
    return [_verdict(first, way) for way in others]


def _verdict(first: Way, way: Way) -> str:
    assert way.beside is not None
    told = way.beside
    if not np.isfinite(told.value):
        return f"{way.name}: no verdict, for floor and ceiling coincide."
    word = "ahead of" if told.low > 0 else "behind" if told.high < 0 else "not told from"
    points = f"{100 * told.value:+.0f} points of the way (95% interval {100 * told.low:+.0f} to {100 * told.high:+.0f})"
    return f"{way.name} is {word} {first.name}: {points}."
