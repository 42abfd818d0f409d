"""What is computed for millions of rows at once is what its definition says of each row."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.dataset import Dataset
from manifests.hub import extent
from manifests.index import ROWS, build_index, index_path, read_index
from manifests.layout import IMAGES
from manifests.parallel import READERS, in_parallel
from manifests.salt import salted, salted_order, settle
from manifests.splits.clusters import first_in_order, first_of_each
from manifests.splits.splits import read_splits, splits_of
from manifests.storage import read_metadata
from manifests.subset import candidates, draw

SHARES = {"train": 0.8, "validation": 0.15, "test": 0.05}


def digest(salt: object, value: str) -> bytes:
    return hashlib.sha256(f"{salt}:{value}".encode()).digest()


def chunked(values: list[str]) -> pa.ChunkedArray:
    """The values in pieces of uneven lengths, one of them empty."""
    return pa.chunked_array([values[:7], [], values[7:100], values[100:]], pa.string())


def names(count: int, of: int) -> list[str]:
    """Strings of 16 hex digits, `of` of them different."""
    rng = np.random.default_rng(0)
    return [hashlib.sha256(b"%d" % number).hexdigest()[:16] for number in rng.integers(0, of, count)]


def test_the_order_of_a_draw_is_that_of_the_whole_salted_hash() -> None:
    values = names(500, of=300)
    expected = sorted(range(500), key=lambda place: digest("7", values[place]))
    assert salted_order(chunked(values), "7").tolist() == expected
    assert [int(first) for first in salted(chunked(values), "ü")] == [
        int.from_bytes(digest("ü", value)[:8], "big") for value in values
    ]


@pytest.mark.parametrize("bits", [0, 3, 64])
def test_equal_beginnings_of_hashes_are_settled_by_the_rest(bits: int) -> None:
    values = names(500, of=300)
    beginnings = np.array([int.from_bytes(digest("7", value)[:8], "big") >> (64 - bits) for value in values], np.uint64)
    assert settle(beginnings, chunked(values), "7").tolist() == salted_order(chunked(values), "7").tolist()


def test_of_no_rows_none_are_drawn() -> None:
    nothing = pa.table({name: pa.chunked_array([], pa.string()) for name in ("key", "shard", "cluster")})
    nothing = nothing.append_column("row", pa.chunked_array([], pa.int32()))
    assert len(draw(nothing, rows=3, seed=0)) == 0


def test_the_first_of_each_cluster_is_found_in_the_rows_and_in_any_order() -> None:
    clusters = names(500, of=200)
    assert first_of_each(chunked(clusters)).tolist() == [
        value not in clusters[:row] for row, value in enumerate(clusters)
    ]
    order = np.random.default_rng(1).permutation(500)
    expected = [row for place, row in enumerate(order) if clusters[row] not in {clusters[i] for i in order[:place]}]
    assert first_in_order(chunked(clusters), order).tolist() == expected


def test_a_split_is_what_the_salted_hash_of_the_cluster_says() -> None:
    clusters = names(2_000, of=2_000)
    for cluster, split in zip(clusters, splits_of(chunked(clusters), salt="s", shares=SHARES).to_pylist(), strict=True):
        number = int(digest("s", cluster).hex()[:13], 16) / 16**13
        assert split == ("test" if number < 0.05 else "validation" if number < 0.05 + 0.15 else "train")


@pytest.mark.parametrize("where", ["", "edge_density > 0.03", "CANNY.EDGE_DENSITY > 0.03 AND shard < '00-000005'"])
def test_a_draw_is_the_smallest_hashes_one_of_each_cluster(dataset: Dataset, where: str) -> None:
    rows = read_index(dataset, ROWS).to_pylist()
    known = read_index(dataset, "canny").to_pylist()
    eligible = [
        row
        for row, canny in zip(rows, known, strict=True)
        if row["split"] == "train"
        and canny["status"] == "ok"
        and (not where or canny["edge_density"] > 0.03)
        and ("shard" not in where or row["shard"] < "00-000005")
    ]
    expected = {}
    for row in sorted(eligible, key=lambda row: digest(3, row["key"])):
        expected.setdefault(row["cluster"], {name: row[name] for name in ("key", "shard", "row")})
    found = candidates(dataset, "canny", "train", where=where)
    assert draw(found, rows=1_000, seed=3).to_pylist() == list(expected.values())
    assert draw(found, rows=5, seed=3).to_pylist() == list(expected.values())[:5]


def test_the_index_says_of_every_row_what_its_shard_says(dataset: Dataset) -> None:
    rows = read_index(dataset, ROWS).to_pylist()
    place = 0
    for name in dataset.shards(IMAGES):
        images = dataset.read(IMAGES, name, ["key", "sha256", "captions", "width"]).to_pylist()
        for number, (image, canny) in enumerate(zip(images, dataset.read("canny", name).to_pylist(), strict=True)):
            row = rows[place]
            assert (row["key"], row["shard"], row["row"], row["part"]) == (image["key"], name, number, 0)
            assert row["cluster"] == image["sha256"][:16]
            assert row["caption_length"] == len(image["captions"][0])
            known = read_index(dataset, "canny").slice(place, 1).to_pylist()[0]
            assert known == {"status": canny["status"], "code": "", "edge_density": canny["stats"]["edge_density"]}
            place += 1
    assert place == len(rows) == len(read_splits(dataset, [0], ["cluster"]))


def test_an_index_has_the_same_bytes_however_its_shards_were_read(
    made: Callable[..., Dataset], dataset: Dataset, tmp_path: Path
) -> None:
    again = made(tmp_path / "again")
    for family in (ROWS, "canny"):
        assert index_path(again, family).read_bytes() == index_path(dataset, family).read_bytes()
        before = index_path(again, family).read_bytes()
        build_index(again)
        assert index_path(again, family).read_bytes() == before
    assert (again.root / "splits/00.parquet").read_bytes() == (dataset.root / "splits/00.parquet").read_bytes()


def test_the_digest_of_a_family_is_of_its_names_sizes_and_footers(dataset: Dataset) -> None:
    expected = hashlib.sha256()
    for name in dataset.shards("canny"):
        path = dataset.path("canny", name)
        metadata = read_metadata(path)
        expected.update(f"{name} {path.stat().st_size} {metadata.num_rows} ".encode())
        expected.update(repr(sorted(metadata.metadata.items())).encode())
    assert extent(dataset, "canny").digest == expected.hexdigest()[:16]
    assert extent(dataset, "canny").rows == dataset.rows("canny") == 200
    assert dataset.rows("canny", dataset.shards()[:2]) == 50


def test_results_come_in_order_from_many_threads() -> None:
    threads = set()

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        time.sleep(0.002 * (number % 3))
        return number

    assert list(in_parallel(work, range(300))) == list(range(300))
    assert 1 < len(threads) <= READERS


def test_the_first_error_ends_the_work() -> None:
    seen = []

    def work(number: int) -> None:
        seen.append(number)
        if number == 3:
            raise ValueError("a bad shard")

    with pytest.raises(ValueError, match="a bad shard"):
        list(in_parallel(work, range(100_000)))
    assert len(seen) < 1_000
