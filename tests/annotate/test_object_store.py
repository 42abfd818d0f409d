"""A dataset in an object store: made by the same code, of the same bytes, read by whoever reads."""

from pathlib import Path

import pytest
import torch
from upath import UPath

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from evaluate.sheet.page import write_sheet
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.hub import join, write_dataset_card
from manifests.index import build_index
from manifests.layout import IMAGES
from manifests.manifest import Manifest
from manifests.storage import locate
from manifests.subset import resolve
from manifests.training_set.training_set import ensure_training_set, open_training_set


@pytest.fixture(scope="module")
def places(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, UPath]:
    """The same dataset, made in a folder and in a bucket."""
    made = {"folder": locate(tmp_path_factory.mktemp("here") / "circles"), "s3": locate(f"{bucket}/circles")}
    for root in made.values():
        make(root)
    return made


def make(root: UPath) -> None:
    dataset = make_plan(root, find_corpus("fill50k:300"))
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    tasks = make_tasks(dataset, ["canny"], resolution=128)
    create_card(root, tasks[0].card)
    bound = bind(tasks, torch.device("cpu"))
    for name in dataset.missing("canny"):
        annotate_shard(dataset, name, bound, batch_size=8, threads=1, done=lambda _: None)
    build_index(dataset)
    write_dataset_card(dataset)


def contents(root: UPath) -> dict[str, bytes]:
    """Every file but the settings, whose id is drawn."""
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths if path.name != "dataset.json"}


def test_it_has_the_bytes_of_one_in_a_folder(places: dict[str, UPath]) -> None:
    assert contents(places["s3"]) == contents(places["folder"])


def test_it_is_opened_joined_and_drawn_from(places: dict[str, UPath], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PAIRMILL_CACHE", str(tmp_path))
    dataset = Dataset.open(str(places["s3"]))
    assert dataset.families() == ["canny", "truth_edges"]
    assert len(join(dataset, ["canny"])) == 300
    subset = resolve(Manifest(dataset=str(places["s3"]), condition="canny", rows=40, base="tiny"))
    folder = ensure_training_set(subset, Manifest(dataset=str(places["s3"]), condition="canny", rows=40, base="tiny"))
    assert folder.is_relative_to(tmp_path), "a training set is memory-mapped, and so local"
    assert open_training_set(folder, 40).column("key") == subset.rows["key"].to_pylist()


def test_its_contact_sheet_lies_beside_it(places: dict[str, UPath]) -> None:
    sheet = write_sheet(Dataset.open(places["s3"]), places["s3"] / "sheet.html", rows=2)
    assert "canny" in sheet.read_text()
