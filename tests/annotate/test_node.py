"""A node that does not see the corpus spoils nothing: its shards fail, and are made elsewhere or later."""

from collections.abc import Callable
from pathlib import Path
from shutil import move

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.corpora import folder
from annotate.corpus import find_corpus
from annotate.ingest import count_dropped, ingest_shard
from annotate.plan import append_plan, make_plan
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES
from manifests.removed import remove_pictures
from manifests.subset import candidates


def as_folder(where: Path, png: list[bytes]) -> Path:
    where.mkdir()
    for number, picture in enumerate(png):
        (where / f"{number}.png").write_bytes(picture)
        (where / f"{number}.txt").write_text("a circle")
    return where


def as_table(where: Path, png: list[bytes]) -> Path:
    pq.write_table(pa.table({"image": png, "caption": ["a circle"] * len(png)}), where)
    return where


@pytest.mark.parametrize("make", [as_folder, as_table])
@pytest.mark.parametrize("empty", [False, True], ids=["missing", "an empty mount point"])
def test_records_of_storage_that_is_not_there_are_not_dropped(
    make: Callable[[Path, list[bytes]], Path], empty: bool, tmp_path: Path, png: list[bytes]
) -> None:
    corpus = make(tmp_path / ("corpus" if make is as_folder else "corpus.parquet"), png)
    dataset = make_plan(tmp_path / "dataset", find_corpus(str(corpus)))
    move(corpus, tmp_path / "unmounted")
    folder._said.cache_clear()
    if empty and make is as_folder:
        corpus.mkdir()
    with pytest.raises(OSError, match="node "):
        ingest_shard(dataset, "00-000000", threads=0, done=lambda _: None)
    assert dataset.missing(IMAGES) == ["00-000000"]

    if corpus.is_dir():
        corpus.rmdir()
    move(tmp_path / "unmounted", corpus)
    ingest_shard(dataset, "00-000000", threads=0, done=lambda _: None)
    assert dataset.rows() == len(png)
    assert not count_dropped(dataset)


def test_while_a_part_is_being_ingested_the_index_stays_that_of_the_others(
    tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset]
) -> None:
    dataset = ingest(as_folder(tmp_path / "corpus", png[:4]))
    build_index(dataset)
    append_plan(dataset.root, find_corpus(str(as_folder(tmp_path / "more", png[4:]))))
    assert build_index(dataset)[IMAGES] == 1
    assert len(read_index(dataset, ROWS)) == 4


def test_nothing_is_appended_before_the_first_corpus_is_planned(tmp_path: Path, png: list[bytes]) -> None:
    corpus = find_corpus(str(as_folder(tmp_path / "corpus", png)))
    dataset = Dataset.create(tmp_path / "dataset", corpus=str(corpus))  # and then it is killed
    with pytest.raises(ValueError, match="its first corpus isn't planned yet"):
        append_plan(dataset.root, corpus)


def test_a_picture_taken_down_is_not_drawn_whatever_the_index_says(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:60")
    build_index(dataset)
    before = candidates(dataset, "truth_edges", "train")
    remove_pictures(dataset, [before["cluster"][0].as_py()], "by request")
    assert len(candidates(dataset, "truth_edges", "train")) == len(before) - 1
