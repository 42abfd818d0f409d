import json
from pathlib import Path

import pytest
import yaml

from manifests.study import cells, load_study
from pipelines.study import run_study
from tests.toy_run import train

ROOT = Path(__file__).parents[2]


def write_study(path: Path, **fields: object) -> Path:
    path.write_text(yaml.safe_dump(fields))
    return path


def test_a_study_sets_three_sizes_side_by_side(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = load_study(write_study(toy / "sizes.yaml", name="sizes", manifest="toy.yaml", axes={"rows": [16, 4, 8]}))
    for rows in (8, 16):  # two are trained already, and left alone; the study trains the third
        train(toy / "toy.yaml", tmp_path / f"rows-{rows:06d}", "--set", f"rows={rows}")
    weights = tmp_path / "rows-000008" / "controlnet" / "diffusion_pytorch_model.safetensors"
    before = weights.stat().st_mtime_ns
    report = run_study(study, tmp_path, [])
    assert weights.stat().st_mtime_ns == before
    found = json.loads((tmp_path / "report.json").read_text())
    assert [way["labels"]["rows"] for way in found["ways"]] == ["4", "8", "16"]
    assert all(way["normalised"]["low"] <= way["normalised"]["high"] for way in found["ways"])
    assert all(way["cost"]["samples"] == 4 for way in found["ways"])
    assert found["ways"][0]["beside"] is None
    assert found["headline"] in report.read_text()
    assert "sizes 1/3: rows-000004" in capsys.readouterr().out


def test_a_training_that_fails_stands_in_the_report_and_stops_no_other(
    toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kinds = {"plain": {}, "wrong": {"control.joining": "sum", "train.learning_rate": 1e9}, "slow": {"rows": 8}}
    study = load_study(write_study(toy / "kinds.yaml", name="kinds", manifest="toy.yaml", axes={"kind": kinds}))
    (tmp_path / "kind-wrong").mkdir()
    (tmp_path / "kind-wrong" / "another.txt").write_text("somebody else's")
    for name, rows in (("plain", 16), ("slow", 8)):
        train(toy / "toy.yaml", tmp_path / f"kind-{name}", "--set", f"rows={rows}")
    run_study(study, tmp_path, [])
    found = json.loads((tmp_path / "report.json").read_text())
    assert [way["labels"]["kind"] for way in found["ways"]] == ["plain", "slow"]
    assert list(found["failed"]) == ["kind-wrong"]
    assert "kind-wrong failed: " in capfd.readouterr().err


def test_a_study_that_asks_for_too_many_rows_is_refused_before_it_trains(toy: Path, tmp_path: Path) -> None:
    study = load_study(write_study(toy / "many.yaml", name="many", manifest="toy.yaml", axes={"rows": [4, 1_000]}))
    with pytest.raises(ValueError, match="1000 rows are asked for"):
        run_study(study, tmp_path / "many", [])
    assert not (tmp_path / "many").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4]}}, "two different values or more"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 4]}}, "two different values or more"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {}}, "nothing is varied"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"where": ["a > 1", "a > 2"]}}, "Give the values labels"),
        ({"name": "../s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}}, "Leave out slashes"),
        ({"name": "s", "manifest": "toy.yaml", "axis": {"rows": [4, 8]}}, "Did you mean 'axes'"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "repeats": 0}, "repeats = 0"),
        ({"name": "s", "axes": {"rows": [4, 8]}}, "manifest: Field required"),
    ],
)
def test_a_wrong_study_is_refused_by_field(tmp_path: Path, *, fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_study(write_study(tmp_path / "study.yaml", **fields))


def test_the_study_that_comes_with_the_repository_can_be_read() -> None:
    study = load_study(ROOT / "manifests" / "studies" / "size_quickstart.yaml")
    assert len(cells(study, seed=0, train_seed=0)) >= 3
    assert study.manifest == ROOT / "manifests" / "quickstart.yaml"
