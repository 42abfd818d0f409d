"""Rows are read from the row groups that hold them."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from evaluate.browse.held import hold
from evaluate.browse.shards import Shards
from manifests.dataset import Dataset


def test_rows_are_found_in_row_groups_of_any_size(dataset: Dataset, tmp_path: Path) -> None:
    shutil.copytree(dataset.root, tmp_path / "rooms")
    other = Dataset.open(tmp_path / "rooms")
    path = other.path("images", "01-000000")
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=5)
    shards = Shards(held := hold(other))
    places = [place for row in range(len(table)) if (place := held.find("01-000000", row)) is not None]
    assert len(places) == len(table) > 10
    found = [shards.read("images", place, ["image"])["image"] for place in places]
    assert found == table["image"].to_pylist()
