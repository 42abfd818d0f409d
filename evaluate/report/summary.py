"""The numbers of a report: each measure's arms and its normalised score, with intervals, from scores alone."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.anchors import ARMS, CEILING, CONTROLLED, FLOOR, ORACLE, SPAN, TRUTH
from evaluate.measured import Measured, measure_all
from evaluate.measures.measure import Adherence, Measure
from evaluate.report.method import WHO
from evaluate.retrieval import ASKED_OF, RETRIEVAL
from evaluate.scores import of
from evaluate.statistics import Array, Interval, interval, normalised
from manifests.evaluate_settings import Method


@dataclass(frozen=True)
class Line:
    """One measure, in every arm."""

    measure: Measure
    arms: dict[str, Interval]
    normalised: Interval  # (controlled - floor) / (ceiling - floor); NaN where the ceiling isn't surely better


@dataclass(frozen=True)
class Retrieval:
    """How often the condition asked for was found among others.

    Attributes:
        arms: floor, controlled and ceiling.
        chance: of finding it without looking.
    """

    arms: dict[str, Interval]
    chance: float


@dataclass(frozen=True)
class Truth:
    """The same pictures against what is known to be true of the samples.

    Attributes:
        samples: of which it is known, and not empty.
        lines: each measure, in the arms floor, controlled, ceiling and oracle: the last is how well the annotator sees.
    """

    samples: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Summary:
    """All that the table of a report says."""

    samples: int  # scored
    draws: int
    lines: tuple[Line, ...]
    retrieval: Retrieval | None  # None where there is one sample alone
    truth: Truth | None = None  # None where nobody knows what is true

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
    keys = scores.group_by("arm").aggregate([("key", "count_distinct")]).to_pylist()
    all_keys = max((each["key_count_distinct"] for each in keys), default=0)
    present = {each["arm"] for each in keys if each["key_count_distinct"] == all_keys}  # swapped may lack a partner
    arms = [arm for arm in ARMS if arm in present]
    if not set(SPAN) <= present:
        raise ValueError("scores: controlled, floor and ceiling are needed for a report. Evaluate the run again")
    lines = tuple(_line(scores, measure, arms) for measure in adherence.measures)
    samples, draws = (len(scores[column].unique()) for column in ("key", "draw"))
    retrieval = _retrieval(scores) if samples > 1 else None
    return Summary(samples, draws, lines, retrieval, _truth(scores, adherence))


def _line(scores: pa.Table, measure: Measure, arms: list[str]) -> Line:
    measured = measure_all(scores, measure, arms)
    return Line(measure, {arm: measured.interval(arm) for arm in arms}, share(measured, measure))


def _truth(scores: pa.Table, adherence: Adherence) -> Truth | None:
    known = scores.filter(pc.starts_with(scores["arm"], TRUTH))
    if not len(known):
        return None
    arms = pc.replace_substring(known["arm"], TRUTH, "")
    plain = known.set_column(known.schema.get_field_index("arm"), "arm", arms)
    lines = tuple(_line(plain, measure, [*SPAN, ORACLE]) for measure in adherence.measures)
    return Truth(len(plain["key"].unique()), lines)


def _retrieval(scores: pa.Table) -> Retrieval:
    measured = measure_all(scores, RETRIEVAL, ASKED_OF)
    among = of(scores, measure=RETRIEVAL.name, arm=CONTROLLED)["asked"].to_numpy()
    return Retrieval({arm: measured.interval(arm) for arm in ASKED_OF}, chance=float((1 / among).mean()))


def share(measured: Measured, measure: Measure) -> Interval:
    """How far the control goes from the floor (0) to the ceiling (1), with an interval."""
    value, replicates = shares(measured, measure)
    return interval(float(value), replicates)


def shares(measured: Measured, measure: Measure) -> tuple[Array, Array]:
    """The same of all samples, and of each resample: [] and [R] float64."""
    at = {arm: measured.arms.index(arm) for arm in SPAN}
    value, replicates = (
        normalised(
            table[..., at[CONTROLLED]],
            floor=table[..., at[FLOOR]],
            ceiling=table[..., at[CEILING]],
            higher_is_better=measure.higher_is_better,
        )
        for table in (measured.value, measured.replicates)
    )
    return value, replicates


def verdict(summary: Summary, *, condition: str, method: Method = "control") -> str:
    """Say in plain words what the primary measure shows.

    Args:
        condition: the family that is scored.
        method: what made the controlled pictures.
    """
    line, (who, whose) = summary.primary, WHO[method]
    reached = line.normalised
    if not np.isfinite(reached.value):
        floor, ceiling = (line.arms[arm].value for arm in (FLOOR, CEILING))
        if ceiling > floor if line.measure.higher_is_better else ceiling < floor:
            return (
                f"No verdict: {summary.samples} samples don't tell how much better this base could draw pictures of "
                f"these {condition} conditions than without control. Evaluate more of them."
            )
        return (
            f"No verdict: without control the pictures already agree with their {condition} conditions as well as "
            "this base can draw them, as far as these samples tell."
        )
    if not np.isfinite(reached.low):
        return f"No verdict: one sample, which goes {100 * reached.value:.0f}% of the way, says nothing of others."
    reach = (
        f"{100 * reached.value:.0f}% of the way from no control to the best this base can draw "
        f"(95% interval {100 * reached.low:.0f} to {100 * reached.high:.0f}%)"
    )
    if reached.high < 0:
        return f"{whose[0].upper()}{whose[1:]} does harm: its {condition} conditions take it {reach}."
    if reached.low <= 0:
        return f"No effect of {whose} can be told from chance: its {condition} conditions take it {reach}."
    if reached.low >= 0.5:
        return f"{who} obeys its {condition} conditions: it goes {reach}."
    if reached.high <= 0.2:
        return f"{who} hardly follows its {condition} conditions: it goes {reach}."
    return f"{who} follows its {condition} conditions in part: it goes {reach}."
