"""The cross-annotator matrix: how far the control goes in the eyes of each annotator that looked at the pictures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.measured import measure_all
from evaluate.measures.measure import Measure
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.second_annotator import PREFIX
from evaluate.second_look import IDENTITY_FILE
from evaluate.spec import read_spec
from evaluate.statistics import Array, Interval, interval
from evaluate.summary import shares

ARMS = (FLOOR, CONTROLLED, CEILING)
SUSPECT = 2.0  # an own gain of so many times the others': research on ControlNet++ calls for a warning


@dataclass(frozen=True)
class Judged:
    """One annotator's word.

    Attributes:
        family: what it is called.
        own: whether it made the conditions that were asked for.
        measure: its primary one.
        samples: in which it finds something, among those that were scored.
        arms: floor, controlled and ceiling.
        share: of the way from floor to ceiling.
        overfit: the own annotator's share over this one's, of the same samples; None of the own one.
    """

    family: str
    own: bool
    measure: Measure
    samples: int
    arms: dict[str, Interval]
    share: Interval
    overfit: Interval | None

    @property
    def suspect(self) -> bool:
        """Whether the control surely pleases its own annotator far more than this one."""
        return self.overfit is not None and bool(self.overfit.low > SUSPECT)


def cross_annotators(folder: Path) -> list[Judged]:
    """Every annotator that scored an evaluation, its own one first.

    Args:
        folder: of a finished evaluation.
    """
    spec, scores = read_spec(folder), read_scores(folder / SCORES_FILE)
    own = _judged(spec.protocol.condition, scores, ADHERENCE[spec.protocol.annotator].primary)
    others = []
    for path in sorted(folder.glob(f"{PREFIX}*.parquet")):
        annotator = json.loads((path.with_suffix("") / IDENTITY_FILE).read_text(encoding="utf-8"))["annotator"]
        others.append(_beside(scores, own, path, ADHERENCE[annotator].primary))
    return [own, *others]


def matrix_of(folders: Sequence[Path]) -> tuple[list[str], list[list[Judged]]]:
    """The cross-annotator matrix of several runs: a row a run, a column an annotator, their own first.

    Args:
        folders: of finished evaluations of one protocol.

    Returns:
        The annotators that looked at every run, and for each run their words in that order.
    """
    each = [{one.family: one for one in cross_annotators(folder)} for folder in folders]
    common = [family for family in each[0] if all(family in other for other in each)]
    return common, [[run[family] for family in common] for run in each]


def _judged(family: str, scores: pa.Table, measure: Measure) -> Judged:
    measured = measure_all(scores, measure, ARMS)
    value, replicates = shares(measured)
    arms = {arm: measured.interval(arm) for arm in ARMS}
    return Judged(family, True, measure, measured.samples, arms, interval(float(value), replicates), None)


def _beside(scores: pa.Table, own: Judged, path: Path, measure: Measure) -> Judged:
    theirs = read_scores(path)
    common = pc.unique(theirs["key"])
    both = [
        measure_all(_only(scores, common), own.measure, ARMS),
        measure_all(_only(theirs, pc.unique(scores["key"])), measure, ARMS),
    ]
    assert both[0].samples == both[1].samples, "whoever scored a sample scored its every arm"
    (mine, mine_again), (other, other_again) = (shares(each) for each in both)
    return Judged(
        path.stem.removeprefix(PREFIX),
        False,
        measure,
        both[1].samples,
        {arm: both[1].interval(arm) for arm in ARMS},
        interval(float(other), other_again),
        interval(float(_ratio(mine, other)), _ratio(mine_again, other_again)),
    )


def _ratio(mine: Array, other: Array) -> Array:
    """Infinite where the other annotator sees no gain at all."""
    return np.where(other > 0, mine / np.where(other > 0, other, 1.0), np.inf)


def _only(scores: pa.Table, keys: pa.Array) -> pa.Table:
    return scores.filter(pc.is_in(scores["key"], value_set=keys))
