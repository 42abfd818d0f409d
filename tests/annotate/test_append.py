"""A dataset grows by parts: what is there stays as it is, to the byte and to the split."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import append_plan, make_plan
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES
from manifests.storage import locate


def write(folder: Path, pictures: dict[str, bytes], caption: str = "") -> None:
    folder.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture)
        (folder / f"{name}.txt").write_text(caption or f"picture {name}")


def append(dataset: Dataset, words: Path | str) -> Dataset:
    grown = append_plan(dataset.root, find_corpus(str(words)))
    for name in grown.missing(IMAGES):
        ingest_shard(grown, name, threads=1, done=lambda _: None)
    build_index(grown)
    return grown


def contents(dataset: Dataset) -> dict[str, bytes]:
    """Every file but the index, which covers all parts."""
    paths = [path for path in dataset.root.rglob("*") if path.is_file() and path.parent.name != "index"]
    return {str(path.relative_to(dataset.root)): path.read_bytes() for path in paths}


@pytest.fixture
def half(tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset]) -> Dataset:
    """Four of eight pictures, ingested and indexed."""
    write(tmp_path / "corpus", {str(number): png[number] for number in range(4)})
    dataset = ingest(tmp_path / "corpus")
    build_index(dataset)
    return dataset


def test_a_second_corpus_changes_no_file_that_is_there(half: Dataset, tmp_path: Path, png: list[bytes]) -> None:
    before = contents(half)
    write(tmp_path / "more", {str(number): png[number] for number in range(4, 8)})
    grown = append(half, tmp_path / "more")
    after = contents(grown)
    assert {name: after[name] for name in before} == before
    assert grown.shards() == ["00-000000", "01-000000"]
    assert grown.rows() == 8
    assert [corpus.rpartition("/")[2] for corpus in grown.corpora()] == ["corpus", "more"]


def test_no_row_moves_and_a_copy_joins_its_picture(half: Dataset, tmp_path: Path, png: list[bytes]) -> None:
    before = read_index(half, ROWS).to_pylist()
    write(tmp_path / "more", {str(number): png[number] for number in range(8)}, caption="the same again")
    rows = read_index(append(half, tmp_path / "more"), ROWS).to_pylist()
    sizes = [row.pop("cluster_size") for row in rows]
    assert sizes == [2] * 4 + [2] * 4 + [1] * 4
    assert [row | {"cluster_size": 1} for row in rows[:4]] == before
    assert [row["part"] for row in rows] == [0] * 4 + [1] * 8
    split_of = {row["cluster"]: row["split"] for row in before}
    assert [row["cluster"] for row in rows[4:8]] == [row["cluster"] for row in before]
    assert all(row["split"] == split_of[row["cluster"]] for row in rows[4:8])
    assert [row["best_of_cluster"] for row in rows] == [True] * 4 + [False] * 4 + [True] * 4


def test_a_folder_that_has_grown_gives_what_is_new(half: Dataset, tmp_path: Path, png: list[bytes]) -> None:
    write(tmp_path / "corpus", {str(number): png[number] for number in range(6)})
    grown = append(half, tmp_path / "corpus")
    assert [row["part"] for row in read_index(grown, ROWS).to_pylist()] == [0] * 4 + [1] * 2
    again = append(grown, tmp_path / "corpus")
    assert again.rows() == 6
    assert len(again.corpora()) == 2, "nothing new is no part"


def test_a_dataset_within_its_own_corpus_is_refused(half: Dataset, tmp_path: Path, png: list[bytes]) -> None:
    write(tmp_path / "more", {"0": png[0]})
    with pytest.raises(ValueError, match="pairs: it lies in its own corpus, "):
        make_plan(locate(tmp_path / "more" / "pairs"), find_corpus(str(tmp_path / "more")))
    with pytest.raises(ValueError, match="it lies in its own corpus, "):
        append_plan(half.root, find_corpus(str(tmp_path)))


def test_an_append_that_was_stopped_goes_on(half: Dataset, tmp_path: Path, png: list[bytes]) -> None:
    write(tmp_path / "more", {str(number): png[number] for number in range(4, 8)})
    append_plan(half.root, find_corpus(str(tmp_path / "more")))  # and then it is killed
    assert half.missing(IMAGES) == ["01-000000"]
    assert append(half, tmp_path / "more").rows() == 8


def test_of_two_jobs_that_append_at_once_each_finds_its_part(half: Dataset, tmp_path: Path, png: list[bytes]) -> None:
    corpora = [tmp_path / name for name in ("a", "b", "c", "d")]
    for number, corpus in enumerate(corpora, 4):
        write(corpus, {str(number): png[number]})
    together = Barrier(len(corpora))

    def plan(corpus: Path) -> None:
        together.wait()
        append_plan(half.root, find_corpus(str(corpus)))

    with ThreadPoolExecutor(len(corpora)) as pool:
        list(pool.map(plan, corpora))
    assert sorted(corpus.rpartition("/")[2] for corpus in half.corpora()) == ["a", "b", "c", "corpus", "d"]
    assert len(half.planned()) == 5


def test_a_generated_corpus_grows_with_its_truth(ingest: Callable[..., Dataset]) -> None:
    grown = append(ingest("fill50k:130"), "fill50k:150")
    assert grown.rows() == grown.rows("truth_edges") == 150
    assert not any(grown.missing(family) for family in grown.families())


def test_rows_that_lack_the_others_truth_are_refused(half: Dataset) -> None:
    with pytest.raises(ValueError, match=r"come with no conditions, those of fill50k:20 with truth_edges too"):
        append_plan(half.root, find_corpus("fill50k:20"))


def test_rows_of_another_truth_are_refused(ingest: Callable[..., Dataset]) -> None:
    with pytest.raises(ValueError, match="into a dataset of its own"):
        append_plan(ingest("fill50k:20").root, replace(find_corpus("fill50k:20"), seed=1))
