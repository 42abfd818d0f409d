"""`datasets` opens a dataset as it lies there, and never serves what was there before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from manifests import condition
from manifests.dataset import Dataset
from manifests.hub import SPLIT, join, write_dataset_card
from manifests.storage import publish


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def rooms(tmp_path: Path, made: Callable[..., Dataset]) -> Dataset:
    dataset = made(tmp_path / "rooms", range(60))
    write_dataset_card(dataset)
    return dataset


def load(dataset: Dataset, family: str) -> datasets.Dataset:
    return datasets.load_dataset(str(dataset.root), family, split=SPLIT)


def test_every_family_opens_under_its_name_with_pictures_decoded(rooms: Dataset) -> None:
    assert set(datasets.get_dataset_config_names(str(rooms.root))) == {"images", "source", "canny"}
    images, canny = load(rooms, "images"), load(rooms, "canny")
    assert images["key"] == canny["key"]
    assert len(images) == rooms.rows() == 60
    for picture, row in zip(images, canny, strict=True):
        assert picture["image"].size == row["condition"].size == (row["width"], row["height"])
        edges = np.asarray(row["condition"].convert("L")) > 127
        assert edges.mean() == pytest.approx(row["stats"]["edge_density"])


def test_a_family_made_again_is_not_served_from_the_cache(rooms: Dataset) -> None:
    before = load(rooms, "canny")["condition"][0]
    for name in rooms.shards("canny"):
        table, path = rooms.read("canny", name), rooms.path("canny", name)
        inverted = [
            condition.encode("binary", 1 - condition.decode("binary", cell)) for cell in table["condition"].to_pylist()
        ]
        column = pa.array(inverted, table.schema.field("condition").type)
        table = table.set_column(table.column_names.index("condition"), table.schema.field("condition"), column)
        path.unlink()
        publish(lambda partial, table=table: pa.parquet.write_table(table, partial), path)
    write_dataset_card(rooms)
    after = load(rooms, "canny")["condition"][0]
    assert np.array_equal(np.asarray(after), 255 - np.asarray(before))


def test_another_dataset_in_a_folder_of_the_same_name_is_not_taken_for_the_first(
    rooms: Dataset, tmp_path: Path, made: Callable[..., Dataset]
) -> None:
    first = load(rooms, "images")["key"]
    shutil.rmtree(rooms.root)
    other = made(rooms.root, range(100, 160))
    write_dataset_card(other)
    assert not set(load(other, "images")["key"]) & set(first)


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
