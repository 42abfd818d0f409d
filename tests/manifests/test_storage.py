"""A file is there whole or not at all, in a folder and in an object store."""

import threading
from pathlib import Path

import boto3
import numpy as np
import pyarrow as pa
import pytest
from s3fs import S3File
from upath import UPath

from manifests.storage import (
    locate,
    open_table,
    publish,
    publish_text,
    read_columns,
    read_metadata,
    read_table,
    replace_text,
)
from tests.object_store import BUCKET


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    """An empty place to write to."""
    if request.param == "folder":
        return locate(tmp_path)
    return locate(f"{request.getfixturevalue('bucket')}/{tmp_path.name}")


def names(place: UPath) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def test_what_is_published_first_stays(place: UPath) -> None:
    publish_text("one", place / "canny" / "00.parquet")
    publish_text("two", place / "canny" / "00.parquet")
    assert (place / "canny" / "00.parquet").read_text() == "one"
    assert names(place) == ["canny/00.parquet"]


def test_what_replaces_is_there_last(place: UPath) -> None:
    replace_text("one", place / "card.md")
    replace_text("two", place / "card.md")
    assert (place / "card.md").read_text() == "two"
    assert names(place) == ["card.md"]


def test_a_writer_that_breaks_off_leaves_nothing(place: UPath) -> None:
    def write(partial: Path) -> None:
        partial.write_bytes(b"half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        publish(write, place / "canny" / "00.parquet")
    assert names(place) == []


def test_of_many_writers_one_wins_and_none_is_torn(place: UPath) -> None:
    texts = [str(number) * 100_000 for number in range(8)]
    together = threading.Barrier(len(texts))

    def write(text: str) -> None:
        together.wait()
        publish_text(text, place / "shard")

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (place / "shard").read_text() in texts
    assert names(place) == ["shard"]


def test_a_large_object_is_published_once_too(bucket: str) -> None:
    """More than one part of a multipart upload: 50 MB each."""
    target = locate(f"{bucket}/large/shard")
    for letter in (b"a", b"b"):
        publish(lambda partial, letter=letter: partial.write_bytes(letter * 55_000_000), target)
    with target.open("rb") as file:
        assert file.read(1) == b"a"
    assert target.stat().st_size == 55_000_000


def test_what_others_write_is_seen_at_once(bucket: str) -> None:
    place = locate(f"{bucket}/shared/canny")
    publish_text("", place / "00")
    assert [path.name for path in place.iterdir()] == ["00"]
    boto3.client("s3").put_object(Bucket=BUCKET, Key="shared/canny/01", Body=b"")
    assert sorted(path.name for path in place.iterdir()) == ["00", "01"]
    assert sorted(path.name for path in place.glob("*")) == ["00", "01"]
    assert (place / "01").exists()


def test_tables_are_read_whole_and_in_part(place: UPath) -> None:
    table = pa.table({"key": [str(number) for number in range(10)], "row": list(range(10))})
    path = place / "rows.parquet"
    publish(lambda partial: pa.parquet.write_table(table, partial, row_group_size=4), path)
    assert read_table(path).equals(table)
    assert read_table(path, columns=["row"]).column_names == ["row"]
    assert read_metadata(path).num_rows == 10
    with open_table(path) as file:
        assert file.read_row_group(2)["row"].to_pylist() == [8, 9]


def test_no_more_of_an_object_is_read_than_the_columns_asked_for(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = np.random.default_rng(0)
    pictures = [numbers.bytes(100_000) for _ in range(64)]
    table = pa.table({"key": [str(row) for row in range(64)], "image": pictures, "width": range(64)})
    path = locate(f"{bucket}/{tmp_path.name}/00.parquet")
    publish(lambda partial: pa.parquet.write_table(table, partial, row_group_size=16), path)
    lengths = []

    def fetch(self: S3File, start: int, end: int) -> bytes:
        lengths.append(end - start)
        return fetch_range(self, start, end)

    fetch_range = S3File._fetch_range
    monkeypatch.setattr(S3File, "_fetch_range", fetch)
    assert read_columns(path, ["key", "width"]).equals(table.select(["key", "width"]))
    assert read_table(path, columns=["key"]).num_rows == read_metadata(path).num_rows == 64
    assert 0 < sum(lengths) < 500_000, "three footers of 64 KB, and some hundreds of bytes a column"
    with open_table(path) as file:
        assert file.read_row_group(1)["image"].to_pylist() == pictures[16:32]
    assert sum(lengths) < 2_500_000


@pytest.mark.parametrize("address", ["s3://bucket/prefix", "/data/pairs", "data/pairs"])
def test_a_place_is_named_as_it_was_given(address: str) -> None:
    assert str(locate(address)) == address
    assert str(locate(locate(address) / "images")) == f"{address}/images"
