"""The numbers of a study: its ways of training and judging, and what they are beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate.measures.measure import Measure
from evaluate.report.course import Worst
from evaluate.spec import Protocol
from evaluate.statistics import Interval
from evaluate.studies.cost import Cost
from evaluate.studies.lineage import Lineage
from evaluate.studies.scaling import Scaling
from manifests.study import ROWS, Cell

RESAMPLES = 40_000  # of the samples: a p that is corrected for many comparisons hangs on few of them
TOLD = 0.05  # p below which two ways are told apart, corrected for as many comparisons as are made (Holm 1979)


@dataclass(frozen=True)
class Trained:
    """One finished training, judged in one way.

    Attributes:
        lineage: of the training, the same for all that judge it.
        folder: of its evaluation.
        cost: of the training.
    """

    cell: Cell
    lineage: Lineage
    folder: Path
    cost: Cost

    @property
    def training(self) -> str:
        """Name of the training."""
        return self.lineage.training


@dataclass(frozen=True)
class Way:
    """One way of training and judging, over its repeats.

    Attributes:
        labels: by axis.
        condition: family that was scored.
        trainings: names of those that take part; none where no control does.
        runs: how many trainings were judged.
        samples: how many were scored.
        measure: the primary one of what was scored.
        floor, ceiling: of the same samples.
        score: of that measure, mean over the trainings.
        share: of the way from floor to ceiling, likewise. Intervals of both know of samples and, where something was
            trained twice, of trainings.
        appeared: step at which control appeared, of each training; None where its monitor saw no such step.
        worst: the look at which its control was worth least to the base, mean over the trainings; None: nobody looked.
        cost: of a training, mean.
        folder: of the evaluation of its first repeat.
        lineages: of the trainings that were judged, by repeat.
    """

    labels: Mapping[str, str]
    condition: str
    trainings: tuple[str, ...]
    runs: int
    samples: int
    measure: Measure
    floor: Interval
    ceiling: Interval
    score: Interval
    share: Interval
    appeared: tuple[float | None, ...]
    worst: Worst | None
    cost: Cost
    folder: Path
    lineages: tuple[Lineage, ...]

    @property
    def name(self) -> str:
        """Its labels in words; numbers with what they are of, as prompt_drop 0.5."""
        return ", ".join(_in_words(axis, label) for axis, label in self.labels.items())


def _in_words(axis: str, label: str) -> str:
    if axis == ROWS:
        return f"{int(label):,} rows"
    return label if label[0].isalpha() else f"{axis.rpartition('.')[2]} {label}"


@dataclass(frozen=True)
class Compared:
    """Two ways side by side.

    Attributes:
        difference: share of the one less that of the other, paired by sample where both scored the same ones.
        p: that it is chance, corrected for as many comparisons as the study makes.
    """

    way: Way
    beside: Way
    difference: Interval
    p: float

    @property
    def told(self) -> bool:
        """Whether the two are told apart."""
        return self.p < TOLD

    @property
    def single(self) -> bool:
        """Whether each is of one training, and not of the same: no interval knows of its chance."""
        both = (self.way.trainings, self.beside.trainings)
        return len(set(both)) == 2 and {len(names) for names in both} == {1}


@dataclass(frozen=True)
class Grid:
    """The numbers of a study.

    Attributes:
        protocol: of the first way; the others' differ from it in what is varied alone.
        compared: ways that differ in one axis alone.
        behind: the ways that are told from the one of the greatest share, of the same condition.
        between_runs: standard deviation of shares between trainings of one way; None where none was repeated.
        scaling: labels of the other axes, in words → growth with the number of rows; where rows are an axis of three
            values or more.
        failed: name of a training → why it has no score.
    """

    name: str
    axes: tuple[str, ...]
    protocol: Protocol
    ways: tuple[Way, ...]
    compared: tuple[Compared, ...]
    behind: tuple[Way, ...]
    between_runs: float | None
    scaling: Mapping[str, Scaling]
    failed: Mapping[str, str]

    @property
    def measure(self) -> Measure:
        """Of the first way."""
        return self.ways[0].measure

    @property
    def lineages(self) -> list[Lineage]:
        """Of all trainings that were judged, each once."""
        return list(dict.fromkeys(lineage for way in self.ways for lineage in way.lineages))

    @property
    def conditions(self) -> dict[str, list[Way]]:
        """The ways that have a share, by the condition that was scored."""
        return {words: [self.ways[place] for place in places] for words, places in by_condition(self.ways).items()}

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


def by_condition(ways: Sequence[Way]) -> dict[str, list[int]]:
    """Places of the ways that have a share, by the condition that was scored."""
    found: dict[str, list[int]] = {}
    for place, way in enumerate(ways):
        if np.isfinite(way.share.value):
            found.setdefault(way.condition, []).append(place)
    return found
