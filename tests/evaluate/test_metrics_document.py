"""docs/metrics.md is written here, from the measures themselves, with what checking them against others gave."""

import math
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from evaluate.adherence import ADHERENCE
from evaluate.measured import statistic_of
from evaluate.measures.measure import Measure
from evaluate.page.render import cell
from tests.evaluate.pooled import scores_of
from tests.evaluate.references import REFERENCES, pairs_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
HEAD = """# Metrics

What `pipelines/evaluate.py` measures, for each annotator. Written from the code by
`PAIRMILL_WRITE_DOCS=1 pytest tests/evaluate/test_metrics_document.py`, which fails if this page says anything else.
Each measure is computed once more by the reference beside it, on random conditions; the two were apart by less than
the last column says, in the measure's unit.

A measure of pictures is the mean over them, and its interval is of a bootstrap over samples, 2,000 replicates. A
measure marked *of a set* is made from all pictures together, in every resample anew.
"""
EXACT = 1e-9
# One measure's arithmetic is in float32 in one of the two places.
TOLERANCE = {"ms_ssim": 1e-4, "f1": 1e-6, "rmse": 1e-6, "abs_rel": 1e-6, "miou": 1e-6, "pixel_accuracy": 1e-6}
BY_ADHERENCE = {
    adherence: [name for name, other in ADHERENCE.items() if other is adherence] for adherence in ADHERENCE.values()
}
MEASURES = [(names[0], measure) for adherence, names in BY_ADHERENCE.items() for measure in adherence.measures]


@cache
def apart(annotator: str, name: str) -> float:
    """By how much a measure and its reference differ at most."""
    pairs, reference = pairs_of(annotator), REFERENCES[name].value
    measure = next(measure for measure in ADHERENCE[annotator].measures if measure.name == name)
    if measure.pool is not None:
        whole = statistic_of(scores_of(annotator, pairs), measure, ["controlled"])[1](np.ones((1, len(pairs))))
        return abs(float(whole[0, 0]) - reference(pairs))
    return max(abs(ADHERENCE[annotator].score(*pair)[name].value - reference(*pair)) for pair in pairs)


@pytest.mark.parametrize(("annotator", "measure"), MEASURES, ids=[f"{name}-{each.name}" for name, each in MEASURES])
def test_a_measure_is_that_of_its_reference(annotator: str, measure: Measure) -> None:
    assert apart(annotator, measure.name) <= TOLERANCE.get(measure.name, EXACT)


def test_references_are_checked_where_measures_neither_fail_nor_are_perfect() -> None:
    for annotator, measure in MEASURES:
        values = [ADHERENCE[annotator].score(*pair)[measure.name].value for pair in pairs_of(annotator)]
        assert len({round(value, 6) for value in values}) > 1, measure.name


def document() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n## {', '.join(names)}\n\n{_table(names[0])}" for names in BY_ADHERENCE.values())


def _table(annotator: str) -> str:
    head = (
        "| measure | definition | unit | better | range | checked against | apart by |\n|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_line(annotator, measure) for measure in ADHERENCE[annotator].measures)


def _line(annotator: str, measure: Measure) -> str:
    low, high = measure.span
    top = "∞" if math.isinf(high) else f"{high:g}"
    name = f"**`{measure.name}`** (primary)" if measure.primary else f"`{measure.name}`"
    definition = f"{measure.title}: {measure.meaning}{' *Of a set.*' if measure.pool else ''}"
    off = f"under {TOLERANCE.get(measure.name, EXACT):g}"
    better = "higher" if measure.higher_is_better else "lower"
    cells = (name, cell(definition), measure.unit, better, f"{low:g} to {top}", REFERENCES[measure.name].by, off)
    return f"| {' | '.join(cells)} |\n"


def test_the_document_says_what_was_measured() -> None:
    if os.environ.get("PAIRMILL_WRITE_DOCS"):
        DOCUMENT.write_text(document())
    assert DOCUMENT.read_text() == document()
