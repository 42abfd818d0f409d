import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import ray

from evaluate.report.report import write_report
from evaluate.scores import read_scores
from pipelines.evaluate import evaluate_run
from tests.toy_run import train
from train.interchange.measured import measured

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(toy: Path) -> Path:
    """A run with its evaluation."""
    train(toy / "toy.yaml", toy / "run")
    evaluate_run(toy / "run", toy / "run" / "evaluation", [], actors=1)
    return toy / "run"


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in sorted((folder / "parts").glob("*.parquet"))}


def test_an_evaluation_leaves_scores_pictures_and_a_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run / "evaluation"
    assert list(times(folder)) == ["000000-000003.parquet", "000003-000006.parquet", "000006-000008.parquet"]
    scores = read_scores(folder / "scores.parquet")
    assert len(scores) == 8 * (6 * 5 + 3 + 4 * 5)  # samples, arms, measures; the swap test; four arms against the truth
    arms = {"controlled", "floor", "ceiling", "oracle"}
    assert set(scores["arm"].unique().to_pylist()) == {*arms, "swapped", "blank", *(f"truth-{arm}" for arm in arms)}
    assert sum(pq.read_metadata(path).num_rows for path in (folder / "pictures").glob("*.parquet")) == 8
    before = times(folder)
    evaluate_run(run, folder, [])  # nothing is left to do
    printed = capsys.readouterr().out
    assert f"report: {folder / 'report.html'}" in printed
    assert "f1_1px (primary)" in printed
    assert times(folder) == before


def test_a_model_card_tells_the_numbers_of_the_evaluation(run: Path) -> None:
    report = json.loads((run / "evaluation" / "report.json").read_text())
    found = measured(run, run / "controlnet")
    assert found is not None
    assert found.how.startswith(report["headline"])
    assert {row.name for row in found.rows} == {*report["measures"]}
    primary = found.rows[0]
    assert report["measures"][primary.name]["primary"]
    arms = report["measures"][primary.name]["arms"]
    assert (primary.floor, primary.drawn) == (arms["floor"]["value"], arms["controlled"]["value"])


def test_an_evaluation_killed_midway_goes_on_where_it_was(run: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "pipelines" / "evaluate.py"), str(run), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    process = subprocess.Popen([*command, "--actors", "1"], cwd=tmp_path, env=environment)
    try:
        while process.poll() is None and not times(tmp_path / "out"):
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    before = times(tmp_path / "out")
    assert 0 < len(before) < 3
    evaluate_run(run, tmp_path / "out", [], actors=1)
    after = times(tmp_path / "out")
    assert len(after) == 3
    assert before.items() <= after.items()
    assert (tmp_path / "out" / "scores.parquet").read_bytes() == (run / "evaluation" / "scores.parquet").read_bytes()


def test_a_report_is_made_again_from_the_scores_alone(run: Path) -> None:
    page = (run / "evaluation" / "report.html").read_bytes()
    (run / "evaluation" / "report.html").unlink()
    write_report(run / "evaluation")
    assert (run / "evaluation" / "report.html").read_bytes() == page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no run is here"),
        (["RUN", "--set", "train.steps=3"], "training is over"),
        (["RUN", "--set", "evaluate.guidnce=3"], "Did you mean 'guidance'?"),
        (["RUN", "--set", "evaluate.guidance=3"], "it holds another evaluation"),
    ],
)
def test_what_is_wrong_is_one_message_and_an_exit_code(
    run: Path, capsys: pytest.CaptureFixture[str], *, words: list[str], message: str
) -> None:
    from pipelines.entry import run as run_command
    from pipelines.evaluate import main

    given = [str(run) if word == "RUN" else word for word in words]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["evaluate.py", *given])
        with pytest.raises(SystemExit, match=message.replace("?", "[?]")) as stopped:
            run_command(main)
    assert str(stopped.value).startswith("error: ")
