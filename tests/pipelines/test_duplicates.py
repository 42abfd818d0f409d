"""The report of duplicates of a dataset that has nothing to show."""

from pathlib import Path

import pytest

from annotate.corpus import find_corpus
from annotate.hashes_at_ingest import begin_hashes
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES
from manifests.removed import remove_pictures
from pipelines import duplicates
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
    dataset = make_plan(tmp_path / "dropped", find_corpus(str(tmp_path / "corpus")), duplicates="near")
    begin_hashes(dataset)
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    build_index(dataset)
    return dataset


@pytest.mark.parametrize("which", ["taken_down", "dropped"])
def test_a_dataset_without_rows_has_a_report_too(
    which: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = request.getfixturevalue(which)
    duplicates.main(str(dataset.root))
    assert "0 rows in 0 clusters" in capsys.readouterr().out
    assert "No two rows share a cluster." in (dataset.root / "duplicates.html").read_text()
