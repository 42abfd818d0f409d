"""The numbers of a report: each measure's arms and its normalised score, with intervals, from scores alone."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from evaluate.anchors import ARMS, CEILING, CONTROLLED, FLOOR
from evaluate.measures.measure import Adherence, Measure
from evaluate.scores import matrix
from evaluate.statistics import Interval, interval, normalised, resampled_means


@dataclass(frozen=True)
class Line:
    """One measure, in every arm."""

    measure: Measure
    arms: dict[str, Interval]
    normalised: Interval  # (controlled - floor) / (ceiling - floor); NaN where floor meets ceiling


@dataclass(frozen=True)
class Summary:
    """All that the table of a report says."""

    samples: int  # scored
    draws: int
    lines: tuple[Line, ...]

    @property
    def primary(self) -> Line:
        """The measure fixed beforehand."""
        return next(line for line in self.lines if line.measure.primary)


def summarise(scores: pa.Table, adherence: Adherence) -> Summary:
    """Recompute every number of a report.

    Args:
        scores: rows of scores.parquet, in any order.
        adherence: the measures of the annotator that made the conditions.
    """
    present = set(scores["arm"].unique().to_pylist())
    arms = [arm for arm in ARMS if arm in present]
    if not {CONTROLLED, FLOOR, CEILING} <= present:
        raise ValueError("scores: controlled, floor and ceiling are needed for a report. Evaluate the run again")
    lines = tuple(_line(scores, measure, arms) for measure in adherence.measures)
    return Summary(samples=len(scores["key"].unique()), draws=len(scores["draw"].unique()), lines=lines)


def _line(scores: pa.Table, measure: Measure, arms: list[str]) -> Line:
    _, values = matrix(scores, measure=measure.name, arms=arms)
    means, resamples = values.mean(axis=0), resampled_means(values)
    at = {arm: arms.index(arm) for arm in arms}
    share, shares = (
        normalised(table[..., at[CONTROLLED]], floor=table[..., at[FLOOR]], ceiling=table[..., at[CEILING]])
        for table in (means, resamples)
    )
    return Line(
        measure=measure,
        arms={arm: interval(float(means[place]), resamples[:, place]) for arm, place in at.items()},
        normalised=interval(float(share), shares),
    )


def verdict(summary: Summary, *, condition: str) -> str:
    """Say in plain words what the primary measure shows."""
    line = summary.primary
    share = line.normalised
    if not np.isfinite(share.value):
        return (
            f"No verdict: without control the pictures already agree with their {condition} conditions as well as "
            "this base can draw them."
        )
    reach = (
        f"{100 * share.value:.0f}% of the way from no control to the best this base can draw "
        f"(95% interval {100 * share.low:.0f} to {100 * share.high:.0f}%)"
    )
    if share.high < 0:
        return f"The control does harm: its {condition} conditions take it {reach}."
    if share.low <= 0:
        return f"No effect of the control can be told from chance: its {condition} conditions take it {reach}."
    if share.low >= 0.5:
        return f"The ControlNet obeys its {condition} conditions: it goes {reach}."
    if share.high <= 0.2:
        return f"The ControlNet hardly follows its {condition} conditions: it goes {reach}."
    return f"The ControlNet follows its {condition} conditions in part: it goes {reach}."
