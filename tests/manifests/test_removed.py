"""What was taken down is in no subset, no view, and stays away when its picture comes again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.dataset import Dataset
from manifests.hub import join
from manifests.index import ROWS, build_index, read_index
from manifests.manifest import Manifest
from manifests.subset import resolve
from pipelines import remove


@pytest.fixture
def rooms(made: Callable[..., Dataset], tmp_path: Path) -> Dataset:
    return made(tmp_path / "rooms", range(60))


def drawn(dataset: Dataset) -> list[str]:
    subset = resolve(Manifest(dataset=dataset.root, condition="canny", rows=20, base="tiny"))
    return subset.rows["key"].to_pylist()


def removed(dataset: Dataset) -> list[bool]:
    return read_index(dataset, ROWS)["removed"].to_pylist()


def test_a_picture_taken_down_is_in_no_subset_and_no_view(rooms: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    key = drawn(rooms)[0]
    remove.main(str(rooms.root), [key], reason="asked for by its owner")
    assert key not in drawn(rooms)
    assert key not in join(rooms, ["canny"])["key"]
    assert len(join(rooms, ["canny"])) == 59
    assert "1 pictures taken down; of 60 rows 1" in capsys.readouterr().out


def test_every_caption_of_the_picture_goes_with_it(rooms: Dataset) -> None:
    rows = read_index(rooms, ROWS).to_pylist()
    assert rows[10]["cluster"] == rows[11]["cluster"]
    remove.main(str(rooms.root), [rows[11]["key"]])
    assert removed(rooms).count(True) == 2


def test_it_stays_removed_when_the_index_is_built_again(rooms: Dataset) -> None:
    first, second = read_index(rooms, ROWS)["key"].to_pylist()[:2]
    remove.main(str(rooms.root), [first])
    remove.main(str(rooms.root), [second])
    build_index(rooms)
    assert removed(rooms)[:3] == [True, True, False]


def test_keys_may_stand_in_a_file(rooms: Dataset, tmp_path: Path) -> None:
    keys = read_index(rooms, ROWS)["key"].to_pylist()[:3]
    (tmp_path / "keys.txt").write_text("\n".join(keys))
    remove.main(str(rooms.root), [f"@{tmp_path / 'keys.txt'}"])
    assert removed(rooms)[:4] == [True, True, True, False]


def test_an_unknown_key_removes_nothing(rooms: Dataset) -> None:
    known = read_index(rooms, ROWS)["key"].to_pylist()[0]
    with pytest.raises(ValueError, match="no row has the key ffff"):
        remove.main(str(rooms.root), [known, "ffff"])
    assert not any(removed(rooms))
