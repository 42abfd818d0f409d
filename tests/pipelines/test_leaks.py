"""The audit as a command, on a real run of toy size."""

import json
from pathlib import Path

import pytest

from manifests.dataset import Dataset
from manifests.splits.hashes import HASHES
from pipelines.evaluate import evaluate_run
from pipelines.leaks import main
from tests.near_copies import annotate
from tests.toy_run import train


@pytest.fixture(scope="module")
def run(toy: Path) -> Path:
    """A run with its evaluation."""
    train(toy / "toy.yaml", toy / "audited")
    evaluate_run(toy / "audited", toy / "audited" / "evaluation", [], actors=1)
    return toy / "audited"


def test_a_run_is_audited_with_one_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(run, clip="")
    printed = capsys.readouterr().out
    report = json.loads((run / "evaluation/leaks/report.json").read_text())
    assert report["headline"] in printed
    assert report["leaks"]["equal"] == {"count": 0, "of": 8, "share": report["leaks"]["equal"]["share"]}
    assert "annotate.py" in report["leaks"]["unsought"]  # a generated corpus has no hashes
    assert report["copies"]["rows"] == 16
    assert f"report: {run / 'evaluation/leaks/report.html'}" in printed


def test_hashes_that_are_made_later_are_used(run: Path, toy: Path) -> None:
    annotate(Dataset.open(toy / "playroom"), HASHES)
    main(run, clip="")
    report = json.loads((run / "evaluation/leaks/report.json").read_text())
    assert report["leaks"]["unsought"] == ""
    assert report["leaks"]["base"]["rows"] == 16


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no evaluation here"):
        main(tmp_path)
