"""A small subset of a big set is gathered by reading the row groups that hold it, and it is said which."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.condition import IMAGE
from manifests.dataset import Dataset
from manifests.footer import write_shard
from manifests.layout import IMAGES
from manifests.manifest import Manifest
from manifests.room import check_room, in_bytes
from manifests.row_groups import cost_of_rows, read_rows
from manifests.storage import locate
from manifests.subset import resolve
from manifests.training_set.gather import CONDITION, PICTURE, Families, forecast_reading, rows_by_shard
from manifests.training_set.training_set import ensure_training_set, open_training_set

GROUP = 5  # rows


@pytest.fixture
def rooms(made: Callable[..., Dataset], tmp_path: Path) -> Dataset:
    """A dataset whose shards of 25 rows have row groups of five, as those of 2,048 rows have groups of 128."""
    dataset = made(tmp_path / "rooms")
    for family in (IMAGES, "canny"):
        for name in dataset.shards(family):
            path = dataset.path(family, name)
            table = pq.read_table(path)
            path.unlink()
            pq.write_table(table, path, row_group_size=GROUP)
    return dataset


def manifest(dataset: Dataset, rows: int) -> Manifest:
    return Manifest(dataset=dataset.root, condition="canny", rows=rows, base="none")


def chunks(path: Path, groups: set[int], columns: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where the column chunks of some row groups lie in a file: their first bytes and lengths."""
    metadata = pq.read_metadata(path)
    found = [metadata.row_group(group).column(place) for group in groups for place in range(metadata.num_columns)]
    wanted = [chunk for chunk in found if chunk.path_in_schema.split(".")[0] in columns]
    return [
        (
            min(place for place in (chunk.dictionary_page_offset, chunk.data_page_offset) if place),
            chunk.total_compressed_size,
        )
        for chunk in wanted
    ]


def test_rows_come_in_the_order_asked_for(rooms: Dataset) -> None:
    path = rooms.path(IMAGES, "00-000001")
    rows = np.array([23, 1, 9, 9, 0], np.int32)
    expected = pq.read_table(path, columns=["key", "captions"]).take(rows)
    assert read_rows(path, ["key", "captions"], rows).equals(expected)


def test_what_arrow_can_not_join_is_put_in_order_row_by_row(rooms: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rows = rooms.path(IMAGES, "00-000001"), np.array([23, 1, 9, 9, 0], np.int32)
    expected = read_rows(path, ["key", "image"], rows)
    monkeypatch.setattr("manifests.row_groups.JOINED", 0)
    assert read_rows(path, ["key", "image"], rows).equals(expected)
    ordered = read_rows(path, ["key", "image"], [0, 1, 9, 23])
    assert ordered.equals(pq.read_table(path, columns=["key", "image"]).take([0, 1, 9, 23]))


def test_rows_come_out_of_a_shard_of_more_than_2_gib(tmp_path: Path) -> None:
    one = {"key": "", "image": {"bytes": bytes(1_150_000), "path": None}}
    table = pa.Table.from_pylist([one] * 2_000, schema=pa.schema([("key", pa.string()), ("image", IMAGE)]))
    numbered = table.set_column(0, "key", pa.array([str(row) for row in range(2_000)]))
    write_shard(numbered, tmp_path / "large.parquet", packages={})
    rows = np.arange(1_999, -1, -1, dtype=np.int32)
    found = read_rows(tmp_path / "large.parquet", ["key", "image"], rows)
    assert found["key"].to_pylist() == [str(row) for row in rows]
    assert found.nbytes > 1 << 31


def test_what_is_said_to_be_read_is_all_that_is_read(rooms: Dataset) -> None:
    asked = manifest(rooms, 12)
    subset = resolve(asked)
    by_shard = rows_by_shard(subset.rows)
    whole = list(open_training_set(ensure_training_set(subset, asked), 12))
    total = 0
    for family, columns in ((IMAGES, PICTURE), ("canny", CONDITION)):
        for name in rooms.shards(family):
            groups = {row // GROUP for row in (by_shard[name]["row"].to_pylist() if name in by_shard else [])}
            path = rooms.path(family, name)
            content = path.read_bytes()
            kept = bytearray(len(content))  # zeros wherever nobody was said to read
            for start, length in chunks(path, groups, columns):
                kept[start : start + length] = content[start : start + length]
                total += length
            footer = int.from_bytes(content[-8:-4], "little") + 8
            path.write_bytes(kept[:-footer] + content[-footer:])
    again = manifest(rooms, 12).model_copy(update={"seed": asked.seed, "where": "true"})  # a set of its own
    assert forecast_reading(rooms, Families("canny"), by_shard).reads == total
    assert list(open_training_set(ensure_training_set(resolve(again), again), 12)) == whole


def test_it_is_said_before_it_is_read_and_only_then(rooms: Dataset) -> None:
    asked, said = manifest(rooms, 4), list[str]()
    subset = resolve(asked)
    ensure_training_set(subset, asked, say=said.append)
    ensure_training_set(subset, asked, say=said.append)
    forecast = forecast_reading(rooms, Families("canny"), rows_by_shard(subset.rows))
    assert said == [str(forecast)]
    assert said[0].startswith(f"reads {in_bytes(forecast.reads)} of {forecast.shards} shards (of 8), writes about ")
    assert forecast.shards == len(set(subset.rows["shard"].to_pylist()))


def test_the_size_of_a_training_set_is_about_what_was_said(rooms: Dataset) -> None:
    asked = manifest(rooms, 90)
    subset = resolve(asked)
    path = ensure_training_set(subset, asked)
    written = sum(file.stat().st_size for file in path.glob("*.arrow"))
    assert forecast_reading(rooms, Families("canny"), rows_by_shard(subset.rows)).writes == pytest.approx(
        written, rel=0.15
    )


def test_a_row_group_costs_the_same_for_one_row_and_for_all_of_it(rooms: Dataset) -> None:
    path = rooms.path(IMAGES, "00-000000")
    one, all_of_it = (cost_of_rows(path, PICTURE, np.arange(rows)) for rows in (1, GROUP))
    assert one.read == all_of_it.read
    assert one.kept == pytest.approx(all_of_it.kept / GROUP, abs=1)


def test_too_little_room_is_named_with_the_way_out(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "there" / "yet", 1, "Make room")
    check_room(locate("s3://bucket/pairs"), 10**18, "Make room")
    with pytest.raises(ValueError, match=r"pairs: about 1000 PB are needed there, and .* are free\. Make room"):
        check_room(tmp_path / "pairs", 10**18, "Make room")


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_900, "1.9 kB"), (123_456_789, "123 MB"), (1_940_000_000, "1.9 GB")],
)
def test_bytes_are_said_in_words(count: int, words: str) -> None:
    assert in_bytes(count) == words
