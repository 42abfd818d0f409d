"""The cross-annotator matrix: how far the control goes in the eyes of each annotator that looked at the pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.adherence import ADHERENCE
from evaluate.anchors import SPAN
from evaluate.measured import measure_all
from evaluate.measures.measure import Measure
from evaluate.report.summary import shares
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.second_annotator import PREFIX
from evaluate.second_look import read_identity
from evaluate.spec import read_spec
from evaluate.statistics import LEVEL, Array, Interval, interval
from manifests.difference import differences

FEWEST = 5  # samples, below which nothing is suspected
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
        overfit: the own annotator's share over this one's, of the same samples, infinite where this one sees no gain at
            all, NaN where the own one sees none either; None of the own one.
        suspect: whether the control surely pleases its own annotator far more than this one.
        identity: of the look; what may stand in one column.
    """

    family: str
    own: bool
    measure: Measure
    samples: int
    arms: dict[str, Interval]
    share: Interval
    overfit: Interval | None
    suspect: bool = False
    identity: Mapping[str, Any] = field(default_factory=dict)


def cross_annotators(folder: Path) -> list[Judged]:
    """Every annotator that scored an evaluation, its own one first.

    Args:
        folder: of a finished evaluation.
    """
    spec, scores = read_spec(folder), read_scores(folder / SCORES_FILE)
    own = _judged(spec.protocol.condition, scores, ADHERENCE[spec.protocol.annotator].primary)
    others = []
    for path in sorted(folder.glob(f"{PREFIX}*.parquet")):
        others.append(_beside(scores, own, path, read_identity(path)))
    return [own, *others]


def matrix_of(folders: Sequence[Path]) -> tuple[list[str], list[list[Judged]]]:
    """The cross-annotator matrix of several runs: a row a run, a column an annotator, their own first.

    Args:
        folders: of finished evaluations of one protocol.

    Returns:
        The annotators that looked at every run, and for each run their words in that order.

    Raises:
        ValueError: Under one name, annotators of other settings looked; names the fields.
    """
    each = [{one.family: one for one in cross_annotators(folder)} for folder in folders]
    common = [family for family in each[0] if all(family in other for other in each)]
    for family in common:
        for run, folder in zip(each[1:], folders[1:], strict=True):
            unlike = differences(each[0][family].identity, run[family].identity)
            if unlike:
                raise ValueError(f"{folder}: '{family}' looked otherwise than at {folders[0]}: {'; '.join(unlike)}")
    return common, [[run[family] for family in common] for run in each]


def _judged(family: str, scores: pa.Table, measure: Measure) -> Judged:
    measured = measure_all(scores, measure, SPAN)
    value, replicates = shares(measured, measure)
    arms = {arm: measured.interval(arm) for arm in SPAN}
    return Judged(family, True, measure, measured.samples, arms, interval(float(value), replicates), None)


def _beside(scores: pa.Table, own: Judged, path: Path, identity: Mapping[str, Any]) -> Judged:
    theirs, measure = read_scores(path), ADHERENCE[identity["annotator"]].primary
    common = pc.unique(theirs["key"])
    both = [
        measure_all(_only(scores, common), own.measure, SPAN),
        measure_all(_only(theirs, pc.unique(scores["key"])), measure, SPAN),
    ]
    assert both[0].samples == both[1].samples, "whoever scored a sample scored its every arm"
    mine, mine_again = shares(both[0], own.measure)
    other, other_again = shares(both[1], measure)
    return Judged(
        path.stem.removeprefix(PREFIX),
        False,
        measure,
        both[1].samples,
        {arm: both[1].interval(arm) for arm in SPAN},
        interval(float(other), other_again),
        _overfit(_ratio(mine, other), _ratio(mine_again, other_again)),
        suspect=both[0].samples >= FEWEST and _more(mine - SUSPECT * other, mine_again - SUSPECT * other_again),
        identity=identity,
    )


def _more(value: Array, replicates: Array) -> bool:
    """Whether a difference is surely above zero."""
    return interval(float(value), replicates).low > 0


def _ratio(mine: Array, other: Array) -> Array:
    """Infinite where the own annotator alone sees a gain; NaN where it sees none, or nothing is known."""
    gained, known = np.isfinite(mine) & (mine > 0), np.isfinite(other)
    seen = mine / np.where(known & (other > 0), other, np.nan)
    return np.where(gained & known, np.where(other > 0, seen, np.inf), np.nan)


def _overfit(value: Array, replicates: Array) -> Interval:
    """The percentile interval of numbers some of which are infinite; undefined where too many are."""
    unknown = np.isnan(replicates)
    if np.isnan(value) or unknown.mean() >= (1 - LEVEL) / 2:
        return Interval(float("nan"), float("nan"), float("nan"))
    low = np.quantile(np.where(unknown, 0.0, replicates), 0.025, method="inverted_cdf")
    high = np.quantile(np.where(unknown, np.inf, replicates), 0.975, method="inverted_cdf")
    return Interval(float(value), float(low), float(high))


def _only(scores: pa.Table, keys: pa.Array) -> pa.Table:
    return scores.filter(pc.is_in(scores["key"], value_set=keys))
