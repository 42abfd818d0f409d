"""What a measure of adherence is, and what it says of one picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.condition import Condition

SHARE = "share, 0 to 1"
SIMILARITY = "similarity, 0 to 1"

Weights = NDArray[np.float64]  # [R, N]: how often each of N pictures counts, in each of R resamples
Pooled = Callable[[Weights], NDArray[np.float64]]  # [R, N] → [R]
Evidence = Mapping[str, NDArray[np.float64]]  # [K] each


@dataclass(frozen=True)
class Measure:
    """One number of adherence.

    Attributes:
        name: unique within its annotator.
        title: the same for people, as it stands under an axis.
        unit: what 1.0 means, in words.
        higher_is_better: the direction.
        primary: the one measure fixed beforehand for headlines; exactly one per annotator.
        meaning: one plain sentence for the report.
        span: least and greatest value that it can have.
        pool: makes what measures a set of pictures, of the rows of scores.parquet that hold one picture each; None: the
            measure of a set is the mean over its pictures.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    primary: bool
    meaning: str
    span: tuple[float, float] = (0.0, 1.0)
    pool: Callable[[pa.Table], Pooled] | None = None


@dataclass(frozen=True)
class Score:
    """A value with what it was made from, so that other aggregates need no picture.

    Attributes:
        value: the measure, of one picture alone.
        matched_drawn: how much of what was drawn lies on what was asked; None where the measure has no counts.
        drawn: how much was drawn (edge pixels, or the sum of a soft map).
        matched_asked: how much of what was asked was drawn.
        asked: how much was asked.
        evidence: what else a measure of a set of pictures is made from, by name; see the measure's `pool`.
    """

    value: float
    matched_drawn: float | None = None
    drawn: float | None = None
    matched_asked: float | None = None
    asked: float | None = None
    evidence: Evidence = field(default_factory=dict)


@dataclass(frozen=True)
class Adherence:
    """The measures of one annotator.

    Attributes:
        version: bumped when any value can change, or another arm is scored.
        score: of a condition asked for and one drawn, both as decoded: every measure of this one picture.
        likeness: of the same two one number, higher the more they are alike: by it one condition is found among others.
    """

    version: int
    measures: tuple[Measure, ...]
    score: Callable[[Condition, Condition], dict[str, Score]]
    likeness: Callable[[Condition, Condition], float]

    @property
    def primary(self) -> Measure:
        """The measure of headlines, galleries and studies."""
        return next(measure for measure in self.measures if measure.primary)


def precision(counts: Score) -> float:
    """The share of what was drawn that was asked for; 0 when nothing was drawn."""
    return _share(counts.matched_drawn, counts.drawn)


def recall(counts: Score) -> float:
    """The share of what was asked for that was drawn; 0 when nothing was asked (such rows are left out before)."""
    return _share(counts.matched_asked, counts.asked)


def _share(part: float | None, whole: float | None) -> float:
    assert part is not None, "this measure keeps no counts"
    assert whole is not None, "this measure keeps no counts"
    return part / whole if whole else 0.0


def f1(counts: Score) -> float:
    """Harmonic mean of precision and recall; 0 when both are."""
    one, other = precision(counts), recall(counts)
    return 2 * one * other / (one + other) if one + other else 0.0


def with_value(counts: Score, value: float) -> Score:
    """The same counts under a value made from them."""
    return Score(value, counts.matched_drawn, counts.drawn, counts.matched_asked, counts.asked)
