"""The command plants into a corpus, or into that of a dataset, and says how to ingest what it made."""

from pathlib import Path

import pytest

from manifests.index import ROWS, read_index
from manifests.layout import IMAGES
from pipelines import plant, remove
from tests.near_copies import ingest, scenes, write


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write(tmp_path / "photos", {f"{number:02d}": picture for number, picture in enumerate(scenes(40))})


def test_a_dataset_stands_for_its_corpus(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "torn.jpg").write_bytes((photos / "00.jpg").read_bytes()[:99])
    ingest(tmp_path / "pairs", photos)
    monkeypatch.chdir(tmp_path)
    plant.main("photos", Path("faulty"), jpeg=0.2)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["40 rows, 37 of them in train, 1 dropped", "harmed: jpeg 7"]
    assert said[-1] == f"ingest it: python pipelines/ingest.py {tmp_path / 'faulty'} DATASET --duplicates near"
    plant.main("pairs", Path("again"), jpeg=0.2)
    for name in ("rows.parquet", "faults.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "faulty" / name).read_bytes()
    faulty = ingest(tmp_path / "dataset", tmp_path / "faulty")
    assert read_index(faulty, ROWS).num_rows == 40


def test_what_is_there_is_not_written_over(photos: Path, tmp_path: Path) -> None:
    plant.main(str(photos), tmp_path / "faulty")
    with pytest.raises(ValueError, match="a corpus is there already"):
        plant.main(str(photos), tmp_path / "faulty", jpeg=0.2)


def test_a_dataset_that_is_not_one_corpus_is_refused(photos: Path, tmp_path: Path) -> None:
    dataset = ingest(tmp_path / "pairs", photos)
    with pytest.raises(ValueError, match="begun with --duplicates near"):
        plant.main(str(tmp_path / "pairs"), tmp_path / "faulty", duplicates="exact")
    remove.main(str(tmp_path / "pairs"), [dataset.read(IMAGES, dataset.shards()[0])["key"][0].as_py()])
    with pytest.raises(ValueError, match="pictures taken down"):
        plant.main(str(tmp_path / "pairs"), tmp_path / "faulty")
