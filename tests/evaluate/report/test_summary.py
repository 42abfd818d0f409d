import pytest

from evaluate.adherence import ADHERENCE
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
    line = Line(ADHERENCE["canny"].primary, arms={}, normalised=Interval(*share))
    assert words in verdict(Summary(samples=9, draws=1, lines=(line,), retrieval=None), condition="canny")


def test_the_verdict_is_of_whatever_made_the_pictures() -> None:
    line = Line(ADHERENCE["canny"].primary, arms={}, normalised=Interval(-0.3, -0.4, -0.2))
    summary = Summary(samples=9, draws=1, lines=(line,), retrieval=None)
    starts = [verdict(summary, condition="canny", method=method).split(" does harm")[0] for method in WHO]
    assert starts == ["The control", "SDEdit", "The hint itself"]
