"""Each of the six studies in small: its first training and its last, on pictures and a base of toy size."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluate.studies.report import publish
from evaluate.studies.work import works_of, write_manifests
from manifests.dataset import Dataset
from manifests.index import build_index
from manifests.manifest import load_manifest
from manifests.study import ROWS, Study, cells, load_study
from pipelines.studies import FILES, STUDIES
from pipelines.study import run_study
from tests.toy_base import write_toy_base
from tests.toy_run import annotate, write_dataset, write_manifest

BESIDE = {"depth": "depth.model=tiny/depth", "segmentation": "segmentation.model=tiny/segmentation"}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset of all that the studies need, a base and toy.yaml."""
    home = tmp_path_factory.mktemp("rooms")
    write_toy_base(home / "base")
    dataset = write_dataset(home / "playroom")
    for family, setting in BESIDE.items():
        annotate(dataset, family, settings=[setting])
    annotate(dataset, "quality")
    build_index(Dataset.open(home / "playroom"))
    write_manifest(home / "toy.yaml", home / "playroom", home / "base")
    return home


def in_small(name: str, manifest: Path) -> Study:
    """The study on another manifest's data, of sizes that it has, in the fewest steps."""
    study = load_study(FILES / f"{name}.yaml")
    axes = {ROWS: [4, 8]} if ROWS in study.axes else dict(study.axes)
    if "corpus" in axes:  # all of one
        axes["corpus"] = {label: {"dataset": str(manifest.parent / "playroom")} for label in axes["corpus"]}
    steps = ("train.steps=2", "rows=8") if ROWS not in axes else ("train.steps=2",)
    return study.model_copy(update={"manifest": manifest, "axes": axes, "repeats": 1, "overrides": steps})


@pytest.mark.parametrize("name", STUDIES)
def test_it_runs_and_is_published(name: str, rooms: Path, tmp_path: Path) -> None:
    study = in_small(name, rooms / "toy.yaml")
    works = works_of(study, tmp_path, ["evaluate.samples=6", "evaluate.guidance=2"])
    small = [replace(work, judged=work.judged[:2]) for work in (works[0], works[-1])]
    write_manifests(small)
    grid = run_study(study, small, actors=0)
    assert not grid.failed
    assert len(grid.ways) == sum(len(work.judged) for work in small)
    text = publish(grid, tmp_path / "docs").read_text()
    found = json.loads((tmp_path / "docs" / f"{name}.json").read_text())
    assert len(found["ways"]) == len(grid.ways)
    assert f"{name}-0.svg" in text
    assert "<svg xmlns" in (tmp_path / "docs" / f"{name}-0.svg").read_text()


@pytest.mark.parametrize("path", sorted(FILES.rglob("*.yaml")), ids=lambda path: str(path.relative_to(FILES)))
def test_every_cell_of_every_study_is_a_manifest(path: Path) -> None:
    study = load_study(path)
    for cell in cells(study, seed=0, train_seed=0):
        load_manifest(study.manifest, cell.overrides)
