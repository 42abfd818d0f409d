"""The commands between annotation and training: index, contact sheet, training set."""

import re
import shutil
from pathlib import Path

import pytest

from manifests.manifest import load_manifest
from manifests.subset import resolve
from manifests.training_set.folder import training_set_path
from manifests.training_set.training_set import open_training_set
from pipelines import gallery, index, subset


@pytest.fixture
def rooms(toy: Path, tmp_path: Path) -> Path:
    """A copy of the playroom, to be written into."""
    return Path(shutil.copytree(toy / "playroom", tmp_path / "rooms"))


def test_a_training_set_gathered_on_ray_is_the_one_gathered_in_turn(
    toy: Path, rooms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"dataset={rooms}"]
    asked = load_manifest(toy / "toy.yaml", words)
    drawn = resolve(asked)
    path = training_set_path(asked, drawn.cards)
    sets = []
    for workers in (1, 2):
        subset.main(toy / "toy.yaml", words, workers)
        printed = capsys.readouterr().out
        assert f"{asked.rows} of {drawn.found} rows" in printed
        assert f"fingerprint {drawn.fingerprint}" in printed
        assert f"made {path}" in printed
        sets.append(list(open_training_set(path, asked.rows)))
        shutil.rmtree(path)
    assert sets[0] == sets[1]
    assert [row["key"] for row in sets[0]] == drawn.rows["key"].to_pylist()


def test_an_index_says_what_it_covers_and_is_made_again_when_it_is_lost(
    rooms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in (rooms / "index").iterdir()}
    shutil.rmtree(rooms / "index")
    index.main(rooms)
    assert {path.name: path.read_bytes() for path in (rooms / "index").iterdir()} == before
    printed = capsys.readouterr().out
    assert "60 rows: " in printed
    assert "edge_density" in printed


def test_an_unfinished_ingest_has_no_index(rooms: Path) -> None:
    for path in (rooms / "images").glob("*.parquet"):
        path.unlink()
    with pytest.raises(ValueError, match=r"1 shards of images/ are missing. Finish it: python pipelines/ingest.py"):
        index.main(rooms)


def test_a_contact_sheet_lies_in_the_dataset_unless_told_otherwise(rooms: Path, tmp_path: Path) -> None:
    gallery.main([str(rooms)])
    gallery.main([str(rooms)], str(tmp_path / "sheet.html"), rows=3)
    whole, small = (folder / "sheet.html" for folder in (rooms, tmp_path))
    assert whole.read_text().count("<img") > small.read_text().count("<img") > 0


def test_a_look_at_a_subset_builds_nothing_and_writes_a_page(
    toy: Path, rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"dataset={rooms}", "where=edge_density BETWEEN 0.01 AND 0.9 AND width >= 64"]
    before = set(rooms.rglob("*"))
    subset.main(toy / "toy.yaml", words, look=True)
    printed = capsys.readouterr().out
    assert re.search(r"60 +in the dataset", printed)
    assert "edge_density BETWEEN 0.01 AND 0.9: keeps out none" in printed
    assert re.search(r"canny\.edge_density +0\.\d{3} ", printed)
    assert "all rows are alike in " in printed
    assert printed.endswith(f"made {rooms / 'look-toy.html'}\n")
    assert set(rooms.rglob("*")) - before == {rooms / "look-toy.html"}
    subset.main(toy / "toy.yaml", words, look=True, out=str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text() == (rooms / "look-toy.html").read_text()


def test_a_training_set_is_made_with_the_account_of_its_rows(
    toy: Path, rooms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"dataset={rooms}"]
    subset.main(toy / "toy.yaml", words)
    printed = capsys.readouterr().out
    for out in resolve(load_manifest(toy / "toy.yaml", words)).account.kept_out:
        assert re.search(rf"-{out.rows} +{re.escape(out.said)}", printed)


def test_a_page_is_asked_for_by_look_alone(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--out .*with --look only.*Add --look"):
        subset.main(toy / "toy.yaml", out=str(tmp_path / "page.html"))


def test_a_look_at_no_rows_says_what_kept_them_out(toy: Path, rooms: Path) -> None:
    words = [f"dataset={rooms}", "where=edge_density > 0.99 AND width > 1"]
    with pytest.raises(ValueError, match=r"'edge_density > 0.99' keeps out (\d+), \1 of them alone; 'width > 1' keeps"):
        subset.main(toy / "toy.yaml", words, look=True)
