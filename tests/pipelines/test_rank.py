"""Ranking as a command: a page and its key, then what the votes say; what is wrong is one message."""

import json
from pathlib import Path

import pytest

from evaluate.ranking.key import read_key
from pipelines.entry import run_app
from pipelines.rank import analyse, app, export
from tests.evaluate.ranking.planted import write_votes
from tests.evaluate.synthetic import write_evaluation


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs, as training and evaluating leave them."""
    home = tmp_path_factory.mktemp("runs")
    for rows, name in enumerate(("poor", "good"), start=1):
        write_evaluation(home / name / "evaluation", samples=4, blur=3.0 - rows, rows=rows)
    return [home / name for name in ("poor", "good")]


def test_a_page_is_exported_and_its_votes_are_analysed(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(tmp_path / "ranking", runs)
    said = capsys.readouterr().out
    assert "the evaluations hold 4 samples; all of them are on the page" in said
    assert f"{tmp_path / 'ranking' / 'key.json'}: which run drew what; keep it from them" in said
    votes = write_votes(tmp_path / "votes", read_key(tmp_path / "ranking"), raters=2)
    analyse(tmp_path / "ranking", votes)
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "ranking" / "report.json").read_text())
    assert said.startswith(found["headline"])
    assert f"report: {tmp_path / 'ranking' / 'report.html'}" in said


def test_what_is_wrong_is_one_message(runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path, runs, samples=3)
    (votes,) = write_votes(tmp_path / "votes", read_key(tmp_path), raters=1)
    monkeypatch.setattr("sys.argv", ["rank.py", "analyse", str(tmp_path), str(votes), str(votes)])
    with pytest.raises(SystemExit, match=r"^error: .*rater 'rater 00' is in .* already"):
        run_app(app)


def test_help_names_both_steps(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["rank.py", "--help"])
    with pytest.raises(SystemExit) as left:
        run_app(app)
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert "pipelines/rank.py export" in said
    assert "analyse" in said
