import json
from pathlib import Path

import pytest

from annotate.weights import offline
from pipelines.evaluate import evaluate_run
from pipelines.look import main as look
from pipelines.sweep import main as sweep
from tests.toy_run import train


@pytest.fixture(scope="module")
def run(toy: Path) -> Path:
    """A run with its evaluation, looked at again in every way."""
    train(toy / "toy.yaml", toy / "looked-at")
    evaluate_run(toy / "looked-at", toy / "looked-at" / "evaluation", [], actors=0)
    with offline():
        look(toy / "looked-at", ["fine=canny", "cnpp", "quality"], ["fine.low=30"], actors=0)
    return toy / "looked-at"


def test_a_report_tells_what_later_looks_found(run: Path) -> None:
    said = json.loads((run / "evaluation" / "report.json").read_text(), parse_constant=pytest.fail)
    assert list(said["annotators"]) == ["canny", "fine"]
    assert said["annotators"]["fine"]["overfit"] is not None
    assert said["cnpp"]["measure"] == "canny_f1@cnpp"
    assert said["cnpp"]["arms"]["oracle"]["value"] == 100
    assert all(row["why_not"] for row in said["cnpp"]["published"])
    page = (run / "evaluation" / "report.html").read_text()
    for title in ("In the eyes of each annotator", "ControlNet++", "comparable? why not"):
        assert title in page


def test_a_look_under_the_conditions_own_name_is_refused(run: Path) -> None:
    with pytest.raises(ValueError, match="Name the look otherwise, as canny_again=canny"):
        look(run, ["canny"], ["canny.low=50"], actors=0)


def test_a_network_that_is_absent_is_said_and_not_replaced(run: Path) -> None:
    quality = json.loads((run / "evaluation" / "report.json").read_text())["quality"]
    assert {name.partition("@")[0] for name in quality} == {"kid", "cmmd", "fid", "clip_score", "aesthetic"}
    for line in quality.values():
        assert line["arms"] == {}
        assert line["notes"][0].startswith("Not computed: ")


def test_a_sweep_evaluates_each_value_once(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(run, "control_scale", ["1", "0"], None, ["evaluate.samples=4"], None)
    said = json.loads((run / "sweep-control_scale" / "sweep.json").read_text())
    assert [each["value"] for each in said["settings"]] == [0, 1]
    off, _ = said["settings"]
    assert off["arms"]["controlled"] == off["arms"]["floor"]  # a scale of zero is the base, to the bit
    folder = run / "sweep-control_scale" / "control_scale-1" / "parts"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    sweep(run, "control_scale", ["1", "0"], None, ["evaluate.samples=4"], None)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert "obeys most at control_scale" in capsys.readouterr().out
