"""Copies of test pictures among those trained on are found, and none where there are none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluate.leaks.leaked import EQUAL, Leaked, find_leaked
from evaluate.leaks.trained import index_hashes, trained_keys, trained_on
from manifests.dataset import Dataset
from manifests.index import build_index
from manifests.manifest import load_manifest
from manifests.subset import resolve
from manifests.training_set.training_set import ensure_training_set
from tests.evaluate.leaks.case import edits, scenes, write_case
from tests.near_copies import annotate, rows_of


def leaked(home: Path, dataset: Dataset) -> tuple[Leaked, dict[str, str]]:
    """What is found of all test rows, and the names of rows by key."""
    rows = rows_of(dataset)
    keys = sorted(row["key"] for row in rows.values() if row["split"] == "test")
    trained = trained_on(home / "run")
    return find_leaked(trained, keys, index_hashes(dataset)), {row["key"]: name for name, row in rows.items()}


def test_planted_copies_are_found_and_nothing_else(tmp_path: Path) -> None:
    pictures = scenes(60)
    test = {f"t{number}": picture for number, picture in enumerate(pictures[:20])}
    train = {f"r{number}": picture for number, picture in enumerate(pictures[20:])}
    train |= {"same": pictures[0]}
    for number in (1, 2, 3):
        train |= {f"{name}{number}": edit for name, edit in edits(pictures[number]).items()}
    dataset = write_case(tmp_path, train, test)
    found, names = leaked(tmp_path, dataset)
    assert {names[leak.key] for leak in found.leaks} == {"t0", "t1", "t2", "t3"}
    assert [leak.bits == EQUAL for leak in found.leaks] == [True, False, False, False]
    assert (found.equal.count, found.near.count, found.samples, found.hashed) == (1, 3, 20, 20)
    assert found.told
    row = trained_on(tmp_path / "run").index.slice(found.leaks[0].row, 1).to_pylist()[0]
    assert names[row["key"]] == "same"


@pytest.mark.parametrize("kind", ["jpeg", "cut", "bright"])
def test_each_kind_of_copy_is_found(tmp_path: Path, kind: str) -> None:
    pictures = scenes(24)
    test = {f"t{number}": picture for number, picture in enumerate(pictures)}
    train = {f"r{number}": edits(picture)[kind] for number, picture in enumerate(pictures)}
    found, names = leaked(tmp_path, write_case(tmp_path, train, test))
    pairs = {(names[leak.key][1:], names[key][1:]) for leak, key in _with_keys(tmp_path, found)}
    assert all(sample == row for sample, row in pairs)
    assert len(pairs) >= 23  # 96 of 100 of cut ones, docs/data-quality.md


def _with_keys(home: Path, found: Leaked) -> list:
    index = trained_on(home / "run").index["key"]
    return [(leak, index[leak.row].as_py()) for leak in found.leaks]


def test_without_copies_none_is_found(tmp_path: Path) -> None:
    pictures = scenes(60)
    test = {f"t{number}": picture for number, picture in enumerate(pictures[:20])}
    train = {f"r{number}": picture for number, picture in enumerate(pictures[20:])}
    found, _ = leaked(tmp_path, write_case(tmp_path, train, test))
    assert found.leaks == ()
    assert not found.told
    assert found.base is not None
    assert found.base.median > 20


def test_without_hashes_equal_files_are_found_and_the_rest_is_said(tmp_path: Path) -> None:
    pictures = scenes(12)
    test = {f"t{number}": picture for number, picture in enumerate(pictures[:4])}
    train = {f"r{number}": picture for number, picture in enumerate(pictures[4:])} | {"same": pictures[0]}
    train |= edits(pictures[1])
    dataset = write_case(tmp_path, train, test, hashed=False)
    found, names = leaked(tmp_path, dataset)
    assert [names[leak.key] for leak in found.leaks] == ["t0"]
    assert found.base is None
    assert "annotate.py" in found.unsought
    annotate(dataset, "phash")  # later than the run
    assert {names[leak.key] for leak in leaked(tmp_path, dataset)[0].leaks} == {"t0", "t1"}


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A run whose dataset has fewer rows in train than it had."""
    pictures = scenes(12)
    rows = {f"r{number}": picture for number, picture in enumerate(pictures[4:])}
    dataset = write_case(tmp_path, rows, {"t": pictures[0]})
    manifest = load_manifest(tmp_path / "run/manifest.yaml")
    ensure_training_set(resolve(manifest), manifest)
    path = tmp_path / "data/splits/00.parquet"
    frozen = pq.read_table(path)
    place = frozen.column_names.index("split")
    split = frozen["split"].to_pylist()
    split[split.index("train")] = "validation"
    pq.write_table(frozen.set_column(place, "split", pa.array(split)), path)
    build_index(dataset)
    return tmp_path


def test_the_training_set_tells_what_was_trained_on_when_the_dataset_has_changed(changed: Path) -> None:
    assert len(trained_keys(changed / "run")) == 8
    assert len(trained_on(changed / "run").places) == 8


def test_a_run_whose_rows_are_gone_is_refused(changed: Path) -> None:
    (next((changed / "data/training_sets").glob("canny-*")) / "complete.json").unlink()
    with pytest.raises(ValueError, match="8 rows are asked for and 7"):
        trained_keys(changed / "run")
