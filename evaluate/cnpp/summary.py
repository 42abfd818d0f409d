"""What a report prints of cnpp.parquet: our arms in the published unit, the published rows and why they differ."""

import json
from dataclasses import dataclass
from pathlib import Path

from evaluate.anchors import ARMS
from evaluate.cnpp.comparable import comparable
from evaluate.cnpp.judge import Rules
from evaluate.cnpp.look import NAME
from evaluate.cnpp.published import Published, published_of
from evaluate.cnpp.registry import rules_of
from evaluate.measured import measure_all
from evaluate.measures.measure import Measure
from evaluate.scores import read_scores
from evaluate.second_look import IDENTITY_FILE, PANEL_OF
from evaluate.spec import read_spec
from evaluate.statistics import Interval


@dataclass(frozen=True)
class Beside:
    """A published row, and every way in which it was made otherwise; none if it may be compared."""

    published: Published
    why_not: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """One measure of ControlNet++.

    Attributes:
        arms: ours, in the unit in which it is published.
        factor: from the measure's own unit to that one.
        samples: N prompts.
        beside: the published rows, those read first.
    """

    measure: Measure
    factor: float
    samples: int
    arms: dict[str, Interval]
    beside: tuple[Beside, ...]

    @property
    def shared(self) -> tuple[str, ...]:
        """The ways in which every published row was made otherwise."""
        first = self.beside[0].why_not if self.beside else ()
        return tuple(why for why in first if all(why in each.why_not for each in self.beside))


def summarise(folder: Path) -> Summary:
    """Sum up the look "cnpp" of an evaluation.

    Raises:
        ValueError: It was not taken, or ControlNet++ has no measure of that condition.
    """
    spec = read_spec(folder)
    rules = rules_of(spec.protocol.annotator)
    weights = _weights(folder)
    arms, samples = _arms(folder, rules)
    beside = [Beside(row, tuple(comparable(spec, row, weights=weights))) for row in published_of(rules.measure.name)]
    return Summary(rules.measure, rules.factor, samples, arms, tuple(beside))


def _weights(folder: Path) -> list[dict[str, str]]:
    """Of the judge."""
    path = folder / NAME / IDENTITY_FILE
    if not path.is_file():
        raise ValueError(f"{path}: the look 'cnpp' was not taken. Take it: python pipelines/look.py {folder} {NAME}")
    weights: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["weights"]
    return weights


def _arms(folder: Path, rules: Rules) -> tuple[dict[str, Interval], int]:
    """Every arm in the published unit, and how many prompts there are."""
    measured = measure_all(
        read_scores(folder / f"{NAME}.parquet"), rules.measure, [arm for arm in ARMS if arm in PANEL_OF]
    )
    found = {arm: measured.interval(arm) for arm in measured.arms}
    scaled = {
        arm: Interval(rules.factor * each.value, rules.factor * each.low, rules.factor * each.high)
        for arm, each in found.items()
    }
    return scaled, measured.samples
