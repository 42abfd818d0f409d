import pytest

from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, FLOOR
from evaluate.report.method import WHO
from evaluate.report.summary import Line, Summary, verdict
from evaluate.statistics import Interval

NAN = float("nan")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        ((0.79, 0.70, 0.86), "obeys its canny conditions: it goes 79% of the way"),
        ((0.60, 0.45, 0.75), "follows its canny conditions in part"),
        ((0.10, 0.05, 0.15), "hardly follows"),
        ((0.04, -0.02, 0.10), "No effect of the control can be told from chance"),
        ((-0.30, -0.40, -0.20), "does harm"),
        ((NAN, NAN, NAN), "No verdict"),
    ],
)
def test_the_verdict_goes_by_the_interval(share: tuple[float, float, float], words: str) -> None:
    arms = {FLOOR: Interval(0.3, 0.2, 0.4), CEILING: Interval(0.2, 0.1, 0.3)}
    line = Line(ADHERENCE["canny"].primary, arms=arms, normalised=Interval(*share))
    assert words in verdict(Summary(samples=9, draws=1, lines=(line,), retrieval=None), condition="canny")


@pytest.mark.parametrize("annotator", ["canny", "depth"])
def test_a_ceiling_that_may_be_better_is_not_called_as_good_as_no_control(annotator: str) -> None:
    measure = ADHERENCE[annotator].primary
    ends = (0.3, 0.5) if measure.higher_is_better else (0.5, 0.3)
    arms = {arm: Interval(end, end - 0.1, end + 0.1) for arm, end in zip((FLOOR, CEILING), ends, strict=True)}
    summary = Summary(samples=9, draws=1, lines=(Line(measure, arms, Interval(NAN, NAN, NAN)),), retrieval=None)
    assert verdict(summary, condition=annotator).startswith("No verdict: 9 samples don't tell how much better")
    flat = dict.fromkeys(arms, arms[FLOOR])
    summary = Summary(samples=9, draws=1, lines=(Line(measure, flat, Interval(NAN, NAN, NAN)),), retrieval=None)
    assert "already agree" in verdict(summary, condition=annotator)


def test_the_verdict_is_of_whatever_made_the_pictures() -> None:
    line = Line(ADHERENCE["canny"].primary, arms={}, normalised=Interval(-0.3, -0.4, -0.2))
    summary = Summary(samples=9, draws=1, lines=(line,), retrieval=None)
    starts = [verdict(summary, condition="canny", method=method).split(" does harm")[0] for method in WHO]
    assert starts == ["The control", "SDEdit", "The hint itself"]
