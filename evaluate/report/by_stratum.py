"""Scores by stratum: does the control obey rich conditions as it obeys poor ones?"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.anchors import CONTROLLED, SPAN
from evaluate.measured import measure_all
from evaluate.measures.measure import Measure
from evaluate.report.summary import share
from evaluate.statistics import Interval
from evaluate.strata import strata

FEWEST = 5  # samples; a stratum of fewer says nothing, and is left out


@dataclass(frozen=True)
class StratumScore:
    """The samples of one range.

    Attributes:
        name: the range, in words.
        samples: how many.
        controlled: the measure.
        share: of the way from floor to ceiling.
    """

    name: str
    samples: int
    controlled: Interval
    share: Interval


@dataclass(frozen=True)
class Stratified:
    """One trait, and the scores of each range of it."""

    trait: str
    strata: tuple[StratumScore, ...]


def by_stratum(scores: pa.Table, traits: pa.Table, measure: Measure) -> list[Stratified]:
    """Scores by each trait that has two or more ranges of `FEWEST` samples.

    Args:
        scores: rows of scores.parquet.
        traits: of `evaluate.traits`, one row a sample; of samples that were not scored too.
    """
    scored = traits.filter(pc.is_in(traits["key"], value_set=pc.unique(scores["key"])))
    found = [_by(scores, scored, measure, trait) for trait in scored.column_names if trait != "key"]
    return [each for each in found if len(each.strata) > 1]


def _by(scores: pa.Table, traits: pa.Table, measure: Measure, trait: str) -> Stratified:
    ranges = strata(traits[trait], np.arange(len(traits)))
    keys = [traits["key"].take(pa.array(each.places)) for each in ranges]
    return Stratified(
        trait,
        tuple(
            _stratum(scores, measure, each.name, inside)
            for each, inside in zip(ranges, keys, strict=True)
            if len(inside) >= FEWEST
        ),
    )


def _stratum(scores: pa.Table, measure: Measure, name: str, keys: pa.ChunkedArray) -> StratumScore:
    measured = measure_all(scores.filter(pc.is_in(scores["key"], value_set=keys)), measure, SPAN)
    return StratumScore(name, measured.samples, measured.interval(CONTROLLED), share(measured, measure))
