"""The report of duplicates: of a dataset that has nothing to show, and of equal files."""

from pathlib import Path

import pytest

from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.removed import remove_pictures
from manifests.splits.hashes import HASHES
from pipelines import duplicates
from tests.near_copies import annotate, copies, ingest, scenes, write
from tests.toy_run import write_dataset


@pytest.fixture
def taken_down(tmp_path: Path) -> Dataset:
    dataset = write_dataset(tmp_path / "taken_down")
    remove_pictures(dataset, read_index(dataset, ROWS)["picture"].to_pylist(), "all of them")
    build_index(dataset)
    return dataset


@pytest.fixture
def dropped(tmp_path: Path) -> Dataset:
    """Its one picture cannot be read."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/torn.jpg").write_bytes(b"torn")
    (tmp_path / "corpus/torn.txt").write_text("a torn picture")
    return ingest(tmp_path / "dropped", tmp_path / "corpus")


@pytest.mark.parametrize("which", ["taken_down", "dropped"])
def test_a_dataset_without_rows_has_a_report_too(
    which: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = request.getfixturevalue(which)
    duplicates.main(str(dataset.root))
    assert "0 rows in 0 clusters" in capsys.readouterr().out
    assert "No two rows share a cluster." in (dataset.root / "duplicates.html").read_text()


def test_the_best_is_that_of_the_clusters_that_draws_go_by(tmp_path: Path) -> None:
    picture = scenes(1)[0]
    corpus = write(tmp_path / "corpus", {"0": picture, "again": picture, **copies(picture)})
    dataset = ingest(tmp_path / "exact", corpus, alike="exact")
    rows = read_index(dataset, ROWS).to_pylist()
    best = next(row["key"] for row in rows if row["cluster_size"] == 2 and row["best_of_cluster"])
    for _ in range(2):
        duplicates.main(str(dataset.root))
        _, shown = (dataset.root / "duplicates.html").read_text().split('class="best"')
        assert best in shown.partition("</figure>")[0]
        annotate(dataset, HASHES)  # the page then shows near copies too, and a draw takes each of them
