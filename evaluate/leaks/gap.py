"""The gap between rows trained on and test rows: how much better a run obeys conditions that it has seen."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, SPAN
from evaluate.measured import Measured, measure_all
from evaluate.measures.measure import Measure
from evaluate.report.summary import shares
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Spec, read_spec
from evaluate.statistics import Interval, interval
from manifests.difference import differences

FREE = ("split", "samples")  # settings in which the two evaluations may differ: which rows they draw


@dataclass(frozen=True)
class Line:
    """One measure.

    Attributes:
        trained: of the rows trained on, with control.
        test: of the test rows.
        difference: the first less the second, in the measure's unit.
        normalised: the same of the way from floor to ceiling, each from its own pictures: rows may be easier too.
        ceilings: the difference of the ceilings, which no training makes: how unlike the two sets of pictures are.
    """

    measure: Measure
    trained: Interval
    test: Interval
    difference: Interval
    normalised: Interval
    ceilings: Interval

    @property
    def told(self) -> bool:
        """Whether it obeys conditions that it has seen better, by more than chance (95 %)."""
        return self._better[0] > 0

    @property
    def less(self) -> bool:
        """Whether it obeys them less, by more than chance: those rows are harder."""
        return self._better[1] < 0

    @property
    def _better(self) -> tuple[float, float]:
        """By how much it obeys them better: the interval's ends, of the way where there is one."""
        if np.isfinite(self.normalised.low):
            return self.normalised.low, self.normalised.high
        low, high = self.difference.low, self.difference.high
        return (low, high) if self.measure.higher_is_better else (-high, -low)


@dataclass(frozen=True)
class Gap:
    """What two evaluations of one run say."""

    trained_samples: int
    test_samples: int
    lines: tuple[Line, ...]

    @property
    def primary(self) -> Line:
        """Of the measure fixed beforehand."""
        return next(line for line in self.lines if line.measure.primary)


def train_test_gap(test: Path, trained: Path) -> Gap:
    """Put an evaluation of rows trained on beside that of the test rows.

    The two are sets of other samples, so each is resampled for itself, samples with all their draws: unpaired.

    Args:
        test: folder of the evaluation of test rows.
        trained: of that of rows trained on, by the same run and protocol.

    Raises:
        ValueError: They are not of one run, or drawn otherwise, or share samples.
    """
    specs = read_spec(test), read_spec(trained)
    _check_alike(*specs, test, trained)
    tables = [read_scores(folder / SCORES_FILE) for folder in (trained, test)]
    keys = [set(table["key"].unique().to_pylist()) for table in tables]
    if keys[0] & keys[1]:
        raise ValueError(
            f"{trained}: {len(keys[0] & keys[1])} of its samples are in {test} too. Evaluate another split"
        )
    measures = ADHERENCE[specs[0].protocol.annotator].measures
    return Gap(len(keys[0]), len(keys[1]), tuple(_line(measure, *tables) for measure in measures))


def _line(measure: Measure, trained: pa.Table, test: pa.Table) -> Line:
    seen, unseen = (measure_all(table, measure, SPAN, seed=seed) for seed, table in enumerate((trained, test)))
    (far, far_all), (near, near_all) = shares(seen, measure), shares(unseen, measure)
    return Line(
        measure,
        seen.interval(CONTROLLED),
        unseen.interval(CONTROLLED),
        _difference(seen, unseen, CONTROLLED),
        interval(float(far - near), far_all - near_all),
        _difference(seen, unseen, CEILING),
    )


def _difference(one: Measured, other: Measured, arm: str) -> Interval:
    place = SPAN.index(arm)
    return interval(float(one.value[place] - other.value[place]), one.replicates[:, place] - other.replicates[:, place])


def _check_alike(first: Spec, other: Spec, test: Path, trained: Path) -> None:
    said = [_comparable(spec) for spec in (first, other)]
    if fields := differences(*said):
        raise ValueError(
            f"{test} and {trained} are not one run evaluated alike on two splits: {'; '.join(fields)}. "
            "Evaluate one of them again"
        )


def _comparable(spec: Spec) -> dict[str, Any]:
    said = asdict(spec.protocol) | {"controlnet_sha256": spec.controlnet_sha256}
    settings = {name: value for name, value in said["settings"].items() if name not in FREE}
    return {name: value for name, value in said.items() if name != "keys_sha256"} | {"settings": settings}
