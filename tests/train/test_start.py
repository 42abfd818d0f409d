"""A training whose set is there begins without reading the index of its dataset."""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from manifests.dataset import Dataset
from manifests.index import ROWS, index_path, read_index
from manifests.removed import remove_pictures
from train.run import app


@pytest.fixture
def manifest(manifest_path: Path, dataset_root: Path, tmp_path: Path) -> Path:
    """A manifest of one step, on a dataset of its own that may be spoilt."""
    said = yaml.safe_load(manifest_path.read_text())
    own = shutil.copytree(dataset_root, tmp_path / "own", ignore=shutil.ignore_patterns("training_sets"))
    said |= {"dataset": str(own), "train": {**said["train"], "steps": 1}}
    manifest_path.write_text(yaml.safe_dump(said))
    return manifest_path


def run(manifest: Path, folder: Path) -> Result:
    return CliRunner().invoke(app, ["--manifest", str(manifest), "--run", str(folder)])


def spoil_index(dataset: Dataset) -> None:
    """Spoil the bytes of the index, whose files stay the same to whoever asks only for their size and time."""
    for name in (ROWS, "canny"):
        path = Path(index_path(dataset, name))
        before = path.stat()
        with path.open("r+b") as file:
            file.write(bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_second_run_starts_without_the_index_until_a_picture_is_taken_down(manifest: Path, tmp_path: Path) -> None:
    dataset = Dataset.open(yaml.safe_load(manifest.read_text())["dataset"])
    first = run(manifest, tmp_path / "first")
    assert first.exit_code == 0, first.output
    picture = read_index(dataset, ROWS, ["picture"])["picture"][0].as_py()
    spoil_index(dataset)
    second = run(manifest, tmp_path / "second")
    assert second.exit_code == 0, second.output
    said = [(tmp_path / name / "provenance.json").read_text().splitlines() for name in ("first", "second")]
    assert [line for line in said[0] if "started" not in line] == [line for line in said[1] if "started" not in line]
    remove_pictures(dataset, [picture], "asked for")
    third = run(manifest, tmp_path / "third")
    assert third.exit_code != 0, "the index is read again, and it is spoilt"
