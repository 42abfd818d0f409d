import json
from pathlib import Path

import pytest
import yaml

from manifests.study import load_study
from pipelines.study import run_study
from tests.toy_run import train

ROOT = Path(__file__).parents[2]


def write_study(path: Path, **fields: object) -> Path:
    path.write_text(yaml.safe_dump(fields))
    return path


def test_a_study_sets_three_sizes_side_by_side(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = load_study(write_study(toy / "sizes.yaml", name="sizes", manifest="toy.yaml", rows=[16, 4, 8]))
    for rows in (8, 16):  # two are trained already, and left alone; the study trains the third
        train(toy / "toy.yaml", tmp_path / f"rows-{rows:06d}", "--set", f"rows={rows}")
    weights = tmp_path / "rows-000008" / "controlnet" / "diffusion_pytorch_model.safetensors"
    before = weights.stat().st_mtime_ns
    report = run_study(study, tmp_path, [])
    assert weights.stat().st_mtime_ns == before
    found = json.loads((tmp_path / "report.json").read_text())
    assert [size["rows"] for size in found["sizes"]] == [4, 8, 16]
    assert len({size["subset_fingerprint"] for size in found["sizes"]}) == 3
    assert all(size["normalised"]["low"] <= size["normalised"]["high"] for size in found["sizes"])
    assert found["sizes"][0]["gain"] is None
    assert {"value", "low", "high"} == found["sizes"][2]["gain_per_doubling"].keys()
    assert found["headline"] in report.read_text()
    assert "sizes 1/3: 4 rows" in capsys.readouterr().out


def test_a_study_that_asks_for_too_many_rows_is_refused_before_it_trains(toy: Path, tmp_path: Path) -> None:
    study = load_study(write_study(toy / "many.yaml", name="many", manifest="toy.yaml", rows=[4, 1_000]))
    with pytest.raises(ValueError, match="1000 rows are asked for"):
        run_study(study, tmp_path / "many", [])
    assert not (tmp_path / "many").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "s", "manifest": "toy.yaml", "rows": [4]}, "two sizes or more"),
        ({"name": "s", "manifest": "toy.yaml", "rows": [4, 4]}, "two sizes or more"),
        ({"name": "../s", "manifest": "toy.yaml", "rows": [4, 8]}, "Leave out slashes"),
        ({"name": "s", "manifest": "toy.yaml", "row": [4, 8]}, "Did you mean 'rows'"),
        ({"name": "s", "manifest": "toy.yaml", "rows": [4, -8]}, r"rows\.1 = -8"),
        ({"name": "s", "rows": [4, 8]}, "manifest: Field required"),
    ],
)
def test_a_wrong_study_is_refused_by_field(tmp_path: Path, *, fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_study(write_study(tmp_path / "study.yaml", **fields))


def test_the_study_that_comes_with_the_repository_can_be_read() -> None:
    study = load_study(ROOT / "manifests" / "studies" / "size_quickstart.yaml")
    assert len(study.sizes) >= 3
    assert study.manifest == ROOT / "manifests" / "quickstart.yaml"
