"""An audit of a run says the same as a page, as JSON, as Markdown and in a sentence."""

import json
import re
import shutil
from pathlib import Path

import pytest

from annotate.weights import VARIABLE
from evaluate.leaks.audit import Settings, audit
from evaluate.leaks.report import write_audit
from evaluate.leaks.words import sentences, verdict
from evaluate.progress import bar
from manifests.dataset import Dataset
from tests.evaluate.leaks.case import edits, evaluate, scenes, write_case
from tests.near_copies import rows_of


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two leaks and six copies, and evaluations of test rows and of rows trained on."""
    folder, pictures = tmp_path_factory.mktemp("leaks"), scenes(60)
    test = {f"t{number:02d}": picture for number, picture in enumerate(pictures[:16])}
    train = {f"r{number:02d}": picture for number, picture in enumerate(pictures[16:])}
    train |= {"same": pictures[0], **edits(pictures[1])}
    dataset = write_case(folder, train, test)
    evaluate(folder, dataset, {f"t{number:02d}": train[f"r{number:02d}"] for number in range(5, 11)}, blur=2.6)
    evaluate(folder, dataset, {}, split="train", blur=1.2)
    return folder


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def test_a_report_says_the_same_three_times(home: Path, tmp_path: Path) -> None:
    found, trained = audit(home / "run", home / "evaluation-test", home / "evaluation-train", Settings(), bar=bar)
    page = write_audit(found, trained, tmp_path / "out").read_text()
    report = json.loads((tmp_path / "out/report.json").read_text())
    markdown = (tmp_path / "out/report.md").read_text()
    assert report["headline"] == verdict(found)
    assert "2 of 16" in verdict(found)
    assert "6 of 16" in verdict(found)
    assert verdict(found) in page
    assert verdict(found) in markdown
    assert (report["leaks"]["equal"]["count"], report["leaks"]["near"]["count"]) == (1, 1)
    assert report["copies"]["drawn"]["count"] == len(report["copies"]["pairs"]) == 6
    assert report["gap"]["measures"]["f1_1px"]["told"]
    assert report["likeness"] is None
    assert any("is not on this machine" in sentence for sentence in sentences(found))
    assert page.count('class="pair"') == 2 + 6
    assert page.count("data:image/webp") == 2 * 2 + 6 * 4


def test_the_score_without_leaks_stands_beside_that_with_them(home: Path) -> None:
    found, _ = audit(home / "run", home / "evaluation-test", None, Settings(clip=""), bar=bar)
    assert found.clean is not None
    assert found.clean.value != found.all_samples.value
    assert found.gap is None


def test_a_page_needs_no_network_and_runs_no_caption(home: Path, tmp_path: Path) -> None:
    found, trained = audit(home / "run", home / "evaluation-test", None, Settings(clip=""), bar=bar)
    page = write_audit(found, trained, tmp_path / "out").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert not re.search(r"https?://", page)
    assert "Content-Security-Policy" in page


def test_an_evaluation_of_another_run_is_refused(home: Path, tmp_path: Path) -> None:
    pictures = scenes(8)
    train = {f"r{number}": picture for number, picture in enumerate(pictures[2:])}
    write_case(tmp_path, train, {"t": pictures[0]})
    with pytest.raises(ValueError, match="it evaluates another dataset than"):
        audit(tmp_path / "run", home / "evaluation-test", None, Settings(clip=""), bar=bar)


def test_pictures_that_no_control_drew_are_refused(home: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(home / "evaluation-test", tmp_path / "sdedit")
    said = json.loads((folder / "spec.json").read_text())
    said["protocol"]["settings"]["method"] = "sdedit"
    (folder / "spec.json").write_text(json.dumps(said))
    with pytest.raises(ValueError, match=r"were made by sdedit, which was trained on none.* of method control"):
        audit(home / "run", folder, None, Settings(clip=""), bar=bar)


def test_an_evaluation_of_rows_not_trained_on_is_no_other_half_of_a_gap(home: Path, tmp_path: Path) -> None:
    rows = rows_of(Dataset.open(home / "data"))
    with pytest.raises(ValueError, match=f"was not trained on {sum(row['split'] == 'test' for row in rows.values())}"):
        audit(home / "run", home / "evaluation-train", home / "evaluation-test", Settings(clip=""), bar=bar)


def test_a_clean_run_is_said_to_be_clean(tmp_path: Path) -> None:
    pictures = scenes(40)
    test = {f"t{number:02d}": picture for number, picture in enumerate(pictures[:10])}
    dataset = write_case(tmp_path, {f"r{n}": picture for n, picture in enumerate(pictures[10:])}, test)
    folder = evaluate(tmp_path, dataset, {})
    found, trained = audit(tmp_path / "run", folder, None, Settings(clip=""), bar=bar)
    assert verdict(found).startswith("No test sample has a copy among the 30 rows trained on (0 of 10")
    assert "no drawn picture is a copy of one" in verdict(found)
    assert "There is no pair to show." in write_audit(found, trained, tmp_path / "out").read_text()
