"""Under `duplicates: near`, copies share cluster and split from ingest on, and the best of them is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.corpus import find_corpus
from annotate.hashes_at_ingest import choose_duplicates
from annotate.ingest import count_provided, ingest_shard
from annotate.plan import make_plan
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES
from manifests.splits.hashes import HASHES
from manifests.splits.leaks import leaks
from manifests.subset import candidates, draw
from pipelines import duplicates, remove
from tests.near_copies import annotate, copies, ingest, rows_of, scenes, write


@pytest.fixture
def copied(tmp_path: Path) -> Dataset:
    """Six pictures; of the first, three copies; and two flat ones."""
    pictures = scenes(6)
    flat = {"white": np.full((99, 99, 3), 255, np.uint8), "black": np.zeros((99, 99, 3), np.uint8)}
    named = {str(number): picture for number, picture in enumerate(pictures)}
    return ingest(tmp_path / "dataset", write(tmp_path / "corpus", {**named, **copies(pictures[0]), **flat}))


def test_hashes_are_made_at_ingest_to_the_bytes_that_their_annotator_writes(copied: Dataset, tmp_path: Path) -> None:
    exact = ingest(tmp_path / "exact", tmp_path / "corpus", alike="exact")
    assert exact.families() == []
    annotate(exact, HASHES)
    assert copied.families() == [HASHES]
    for name in copied.shards():
        assert copied.path(HASHES, name).read_bytes() == exact.path(HASHES, name).read_bytes()
    assert (copied.root / HASHES / "annotator.json").read_bytes() == (
        exact.root / HASHES / "annotator.json"
    ).read_bytes()
    assert make_tasks(copied, [HASHES])[0].card.fingerprint == copied.card(HASHES).fingerprint
    assert count_provided(copied, copied.shards())[HASHES] == {"ok": 9, "empty": 2}


def test_copies_share_cluster_and_split_and_the_best_is_the_largest_in_colour(copied: Dataset) -> None:
    rows = rows_of(copied)
    family = [rows[name] for name in ("0", "half", "grey", "cut")]
    assert len({row["cluster"] for row in family}) == len({row["split"] for row in family}) == 1
    assert {row["cluster_size"] for row in family} == {4}
    assert family[0]["cluster"] == min(row["picture"] for row in family)
    assert [row["best_of_cluster"] for row in family] == [True, False, False, False]
    assert [row["cluster_rank"] for row in family] == [0, 3, 1, 2]


def test_flat_pictures_are_no_copies_of_one_another(copied: Dataset) -> None:
    rows = rows_of(copied)
    for name in ("white", "black", "1", "2", "3", "4", "5"):
        assert rows[name]["cluster_size"] == 1
        assert rows[name]["cluster"] == rows[name]["picture"]


def test_a_draw_takes_the_best_of_those_that_where_allows(copied: Dataset) -> None:
    annotate(copied, "canny")
    rows = rows_of(copied)
    train = rows["0"]["split"]
    every = draw(candidates(copied, "canny", train), rows=99, seed=1)
    assert rows["0"]["key"] in every["key"].to_pylist()
    assert not {rows[name]["key"] for name in ("half", "grey", "cut")} & set(every["key"].to_pylist())
    small = draw(candidates(copied, "canny", train, where="width < 200"), rows=99, seed=1)["key"].to_pylist()
    assert rows["half"]["key"] in small
    less = draw(candidates(copied, "canny", train), rows=2, seed=1)
    assert less.equals(every.slice(0, 2)), "a smaller draw is a prefix"


def test_a_take_down_removes_the_picture_and_leaves_its_near_copies(copied: Dataset) -> None:
    annotate(copied, "canny")
    rows = rows_of(copied)
    remove.main(str(copied.root), [rows["0"]["key"]])
    family = [rows_of(copied)[name] for name in ("0", "half", "grey", "cut")]
    assert [row["removed"] for row in family] == [True, False, False, False]
    assert [row["cluster_rank"] for row in family] == [3, 2, 0, 1]
    assert [row["best_of_cluster"] for row in family] == [False, False, True, False]
    drawn = draw(candidates(copied, "canny", rows["0"]["split"]), rows=99, seed=1)["key"].to_pylist()
    assert rows["0"]["key"] not in drawn
    assert rows["grey"]["key"] in drawn, "the best of those that are left"


def test_copies_in_a_later_part_join_and_no_older_row_moves(copied: Dataset, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in sorted((copied.root / "splits").glob("*.parquet"))}
    old = rows_of(copied)
    later = {"again": scenes(6)[1], "new": scenes(7)[6]}
    grown = ingest(copied.root, write(tmp_path / "more", later, quality=60), append=True)
    assert {path: path.read_bytes() for path in before} == before
    rows = rows_of(grown)
    assert (rows["again"]["cluster"], rows["again"]["split"]) == (old["1"]["cluster"], old["1"]["split"])
    assert rows["1"]["cluster_size"] == 2
    assert rows["new"]["cluster"] == rows["new"]["picture"]


def test_exact_is_as_it_was_without_a_family_of_hashes(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {"a": scenes(1)[0], **copies(scenes(1)[0])})
    dataset = ingest(tmp_path / "exact", corpus, alike="exact")
    rows = read_index(dataset, ROWS)
    assert rows["cluster"].equals(rows["picture"])
    assert rows["best_of_cluster"].to_pylist() == [True] * 4
    assert "cluster_rank" not in rows.column_names


@pytest.fixture
def crossed(tmp_path: Path) -> Dataset:
    """Eight pictures with three copies each, ingested `exact`, so that their splits tear them apart; hashed later."""
    named = {f"{number}": picture for number, picture in enumerate(scenes(8))}
    named |= {f"{number}_{kind}": copy for number in range(8) for kind, copy in copies(named[str(number)]).items()}
    shares = {"train": 0.4, "validation": 0.3, "test": 0.3}
    dataset = make_plan(tmp_path / "crossed", find_corpus(str(write(tmp_path / "corpus", named))), splits=shares)
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    build_index(dataset)
    return dataset


def test_rows_torn_apart_by_exact_splits_are_named(crossed: Dataset) -> None:
    annotate(crossed, HASHES)
    rows = rows_of(crossed)
    held = {split: {name for name, row in rows.items() if row["split"] == split} for split in ("train", "test")}
    trained = {name[0] for name in held["train"]}
    expected = {rows[name]["key"] for name in held["test"] if name[0] in trained}
    assert expected
    found = {(leak.split, leak.near_to): leak for leak in leaks(crossed)}
    assert found["test", "train"].rows == len(expected)
    assert set(found["test", "train"].keys) <= expected
    taken = next(iter(expected))
    remove.main(str(crossed.root), [taken])
    assert {(leak.split, leak.near_to): leak.rows for leak in leaks(crossed)}["test", "train"] == len(expected) - 1


def test_clusters_drawn_near_leak_nothing(copied: Dataset) -> None:
    assert leaks(copied) == []


def test_the_report_counts_clusters_and_shows_them_side_by_side(
    copied: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    duplicates.main(str(copied.root), clusters=3)
    said = capsys.readouterr().out
    assert "11 rows in 8 clusters of near pictures" in said
    assert "no held-out row is near to one of another split" in said
    page = (copied.root / "duplicates.html").read_text()
    assert page.count("<img") == 4
    assert page.count('class="best"') == 1


def test_the_report_of_an_exact_dataset_tells_near_copies_once_it_has_hashes(
    crossed: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    duplicates.main(str(crossed.root))
    assert "32 rows in 32 clusters of equal files" in capsys.readouterr().out
    annotate(crossed, HASHES)
    duplicates.main(str(crossed.root))
    said = capsys.readouterr().out
    assert "32 rows in 8 clusters of near pictures; splits and draws of this dataset go by equal files" in said
    assert "leak: " in said
    assert "0 rows of train are never drawn" in said
    assert "Across splits" in (crossed.root / "duplicates.html").read_text()


def test_captions_are_escaped_on_the_page(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {"0": scenes(1)[0], **copies(scenes(1)[0])})
    for path in corpus.glob("*.txt"):
        path.write_text("<script>alert(1)</script>")
    dataset = ingest(tmp_path / "dataset", corpus)
    duplicates.main(str(dataset.root))
    page = (dataset.root / "duplicates.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_without_its_hashes_no_split_is_drawn_and_the_way_out_is_named(copied: Dataset) -> None:
    (copied.root / "splits/00.parquet").unlink()
    copied.path(HASHES, copied.shards()[0]).unlink()
    with pytest.raises(ValueError, match=r"1 shards of phash are missing\. Make them: python pipelines/annotate\.py"):
        build_index(copied)


def test_real_corpora_are_near_by_default_generated_ones_exact(copied: Dataset, tmp_path: Path) -> None:
    rooms, folder = find_corpus("playroom:9"), find_corpus(str(tmp_path / "corpus"))
    assert choose_duplicates("", tmp_path / "new", rooms) == "exact"
    assert choose_duplicates("near", tmp_path / "new", rooms) == "near"
    assert choose_duplicates("", tmp_path / "new", folder) == "near"
    assert choose_duplicates("", copied.root, rooms) == "near", "as it was begun"
    assert choose_duplicates("exact", tmp_path / "new", replace(folder, seed=1)) == "exact"
    with pytest.raises(ValueError, match="there are exact and near"):
        choose_duplicates("fuzzy", tmp_path / "new", folder)
    with pytest.raises(ValueError, match="begun with --duplicates near"):
        choose_duplicates("exact", copied.root, folder)
