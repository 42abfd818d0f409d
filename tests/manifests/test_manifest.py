"""A manifest says what it means, and a wrong one says where."""

from pathlib import Path

import pytest

from manifests.manifest import dump, load_manifest

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "manifests").glob("*.yaml"))
GOOD = "dataset: data\ncondition: canny\nrows: 10\nbase: somebody/base\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "m.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_manifest_here_is_valid(path: Path) -> None:
    manifest = load_manifest(path)
    assert manifest.dataset.is_absolute()
    if path.stem.split("_")[-1].endswith("k"):
        assert manifest.rows == 1_000 * int(path.stem.split("_")[-1][:-1])


def test_paths_are_relative_to_the_manifest_and_hub_names_stay(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    manifest = load_manifest(written(tmp_path, GOOD))
    assert manifest.dataset == tmp_path / "data"
    assert manifest.base == "somebody/base"
    assert load_manifest(written(tmp_path, GOOD.replace("somebody/base", "base"))).base == str(tmp_path / "base")


def test_a_misspelt_field_is_named_with_its_file_value_and_the_nearest_valid_name(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "train: {learning_rat: 1.0e-4}\n")
    with pytest.raises(ValueError, match=r"m\.yaml: train\.learning_rat = 0\.0001.*'learning_rate'"):
        load_manifest(path)


def test_a_misspelt_field_of_a_list_is_named_too(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "train: {stages: [{kind: mid_only, step: 5}]}\n")
    with pytest.raises(ValueError, match=r"train\.stages\.0\.step = 5.*Did you mean 'steps'"):
        load_manifest(path)


def test_a_value_out_of_range_is_named_with_its_field(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"m\.yaml: rows = 0"):
        load_manifest(written(tmp_path, GOOD.replace("rows: 10", "rows: 0")))


def test_overrides_are_recorded_in_the_manifest(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, GOOD), ["train.steps=7", "rows=3", "train.precision='no'"])
    assert (manifest.train.steps, manifest.rows, manifest.train.precision) == (7, 3, "no")
    with pytest.raises(ValueError, match="stepz"):
        load_manifest(written(tmp_path, GOOD), ["train.stepz=7"])


def test_a_dumped_manifest_loads_to_the_same(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, GOOD), ["train.steps=7"])
    path = tmp_path / "elsewhere.yaml"
    path.write_text(dump(manifest))
    assert load_manifest(path) == manifest
