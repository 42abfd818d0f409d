"""`datasets` opens a dataset as it lies there, and never serves what was there before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from annotate.again import withdraw
from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.hub import SPLIT, join, write_dataset_card
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES, SOURCE
from manifests.storage import locate, publish
from pipelines.annotate import begin


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def rooms(tmp_path: Path, made: Callable[..., Dataset]) -> Dataset:
    dataset = made(tmp_path / "rooms", range(60))
    write_dataset_card(dataset)
    return dataset


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in two shards as ingest and annotate make it, with the playroom's truth of every kind."""
    root = tmp_path_factory.mktemp("home") / "playroom"
    dataset = make_plan(root, find_corpus("playroom:256"))
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    annotate(dataset)
    return root


@pytest.fixture
def playroom(home: Path, tmp_path: Path) -> Dataset:
    """A copy to spoil."""
    return Dataset.open(shutil.copytree(home, tmp_path / "playroom"))


def annotate(dataset: Dataset, *settings: str) -> None:
    """What pipelines/annotate.py does with --refresh, without Ray."""
    make_shards(dataset, *settings)
    build_index(dataset)
    write_dataset_card(dataset)


def make_shards(dataset: Dataset, *settings: str) -> None:
    """The same, killed before the end."""
    tasks = make_tasks(dataset, ["canny"], settings=settings, resolution=128)
    begin(dataset, tasks, retry="", refresh=True)
    bound = bind(tasks, torch.device("cpu"))
    for name in dataset.missing("canny"):
        annotate_shard(dataset, name, bound, batch_size=8, threads=1, done=lambda _: None)


def load(dataset: Dataset, family: str) -> datasets.Dataset:
    return datasets.load_dataset(str(dataset.root), family, split=SPLIT)


def edges(dataset: Dataset) -> list[float]:
    return [stats["edge_density"] for stats in load(dataset, "canny")["stats"]]


def test_every_family_opens_under_its_name_in_the_order_of_the_index(playroom: Dataset) -> None:
    keys = read_index(playroom, ROWS)["key"].to_pylist()
    families = playroom.families()
    assert {playroom.card(family).kind for family in families} == {"binary", "depth", "classes", "keypoints"}
    assert set(datasets.get_dataset_config_names(str(playroom.root))) == {IMAGES, SOURCE, *families}
    for family in (IMAGES, SOURCE, *families):
        opened = load(playroom, family)
        assert opened["key"] == keys
        assert sum(1 for _ in opened) == len(keys) == 256  # every row is decoded


def test_the_card_names_the_classes_of_a_family_of_class_maps(playroom: Dataset) -> None:
    card = (playroom.root / "README.md").read_text()
    assert "Classes of truth_segmentation, from 0: wall, floor, ball, box, cone, person.\n" in card
    assert card.count("Classes of") == 1


def test_pictures_and_conditions_are_decoded(rooms: Dataset) -> None:
    images, canny = load(rooms, "images"), load(rooms, "canny")
    assert len(images) == rooms.rows() == 60
    for picture, row in zip(images, canny, strict=True):
        assert picture["image"].size == row["condition"].size == (row["width"], row["height"])
        drawn = np.asarray(row["condition"].convert("L")) > 127
        assert drawn.mean() == pytest.approx(row["stats"]["edge_density"])


def test_a_family_made_again_is_not_served_from_the_cache(playroom: Dataset) -> None:
    before = edges(playroom)
    annotate(playroom, "canny.low=20", "canny.high=40")
    after = edges(playroom)
    assert len(after) == len(before)
    assert sum(after) > sum(before)


@pytest.mark.parametrize("card", ["as it was", "written since"])
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streaming"])
def test_a_shard_that_is_missing_is_an_error_and_is_named(playroom: Dataset, card: str, streaming: bool) -> None:
    load(playroom, "canny")  # it lies in the cache now
    last = playroom.shards()[-1]
    withdraw(playroom, "canny", [last])
    if card == "written since":
        write_dataset_card(playroom)
    with pytest.raises(FileNotFoundError, match=f"canny/{last}"):
        datasets.load_dataset(str(playroom.root), "canny", split=SPLIT, streaming=streaming)
    assert len(load(playroom, "truth_edges")) == 256
    annotate(playroom)
    assert len(load(playroom, "canny")) == 256


def test_a_picture_shard_that_is_missing_is_an_error(playroom: Dataset) -> None:
    first = playroom.shards()[0]
    playroom.path(IMAGES, first).unlink()
    with pytest.raises(FileNotFoundError, match=f"images/{first}"):
        load(playroom, IMAGES)


def test_a_family_made_again_by_a_job_that_was_killed_before_its_end_is_not_served(playroom: Dataset) -> None:
    before = edges(playroom)
    make_shards(playroom, "canny.low=20", "canny.high=40")
    with pytest.raises(datasets.exceptions.NonMatchingSplitsSizesError):
        load(playroom, "canny")
    annotate(playroom, "canny.low=20", "canny.high=40")
    assert sum(edges(playroom)) > sum(before)


def test_datasets_in_folders_of_one_name_are_told_apart(
    tmp_path: Path, made: Callable[..., Dataset], rooms: Dataset
) -> None:
    other = made(tmp_path / "elsewhere" / rooms.root.name, range(100, 160))
    write_dataset_card(other)
    for dataset in (rooms, other, rooms):
        assert load(dataset, "images")["key"] == read_index(dataset, ROWS)["key"].to_pylist()
        assert load(dataset, "canny")["key"] == load(dataset, "images")["key"]
    assert not set(load(other, "images")["key"]) & set(load(rooms, "images")["key"])


def test_another_dataset_in_the_same_folder_is_not_taken_for_the_first(
    rooms: Dataset, made: Callable[..., Dataset]
) -> None:
    first = load(rooms, "images")["key"]
    shutil.rmtree(rooms.root)
    other = made(rooms.root, range(100, 160))
    write_dataset_card(other)
    assert not set(load(other, "images")["key"]) & set(first)


def test_a_family_in_a_bucket_opens_as_its_files(home: Path, bucket: str) -> None:
    place = locate(f"{bucket}/opened")
    for path in sorted((home / "canny").glob("*.parquet")):
        (place / "canny" / path.name).write_bytes(path.read_bytes())
    files = f"{place}/canny/*.parquet"
    streamed = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    opened = Dataset.open(home)
    assert [row["key"] for row in streamed] == read_index(opened, ROWS)["key"].to_pylist()


def test_joined_families_stand_beside_their_own_pictures(rooms: Dataset) -> None:
    rows = join(rooms, ["canny"])
    assert {"key", "image", "captions", "canny_condition", "canny_status", "canny_stats"} <= set(rows.column_names)
    row = rows[7]
    grey = np.asarray(row["image"].convert("L")).astype(int)
    edges = np.asarray(row["canny_condition"].convert("L")) > 127
    slope = np.hypot(*np.gradient(grey))
    assert slope[edges].mean() > 3 * slope[~edges].mean()


def test_families_of_other_rows_are_not_joined(rooms: Dataset) -> None:
    name = rooms.shards("canny")[-1]
    table, path = rooms.read("canny", name), rooms.path("canny", name)
    path.unlink()
    with pytest.raises(ValueError, match="canny has other rows than images/"):
        join(rooms, ["canny"])
    shuffled = table.take(pc.sort_indices(table["key"]))
    publish(lambda partial: pa.parquet.write_table(shuffled, partial), path)
    with pytest.raises(ValueError, match="canny has other rows than images/"):
        join(rooms, ["canny"])
