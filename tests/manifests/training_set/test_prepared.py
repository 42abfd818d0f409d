"""A training set that is there is found without the index, and never one that the dataset has moved on from."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from annotate.again import withdraw
from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.index import ROWS, build_index, index_path
from manifests.keys import begins_with
from manifests.layout import IMAGES, PLAN, shard_name, shard_path
from manifests.manifest import Manifest
from manifests.record import IMAGES as IMAGES_SCHEMA
from manifests.record import family_schema, plan_schema
from manifests.removed import remove_pictures
from manifests.subset import held_out, resolve
from manifests.training_set.folder import training_set_path
from manifests.training_set.prepared import prepared
from manifests.training_set.training_set import ensure_training_set, open_training_set
from tests.manifests.conftest import CARD, SHARD, family_row, image_row, put

NEW_PACKAGES = CARD.model_copy(update={"packages": {"opencv": "99"}})  # the same fingerprint
OTHER_SETTINGS = CARD.model_copy(update={"settings": {"low": 50}})  # another one


@pytest.fixture
def rooms(made: Callable[..., Dataset], tmp_path: Path) -> Dataset:
    return made(tmp_path / "rooms", range(100))


def asked(dataset: Dataset, **fields: object) -> Manifest:
    return Manifest(**{"dataset": dataset.root, "condition": "canny", "rows": 40, "base": "none", **fields})


def build(manifest: Manifest) -> Path:
    return ensure_training_set(prepared(manifest) or resolve(manifest), manifest)


def spoil_index(dataset: Dataset) -> None:
    """Spoil the bytes of the index, whose files stay the same to whoever asks only for their size and time."""
    for name in (ROWS, "canny"):
        path = Path(index_path(dataset, name))
        before = path.stat()
        with path.open("r+b") as file:
            file.write(bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(pa.ArrowInvalid):
        resolve(asked(dataset))


def refresh(dataset: Dataset, card: FamilyCard) -> None:
    """Make the family again, every map of it empty of edges, as `annotate.py --refresh` would."""
    create_card(dataset.root, card, refresh=True)
    names = dataset.shards("canny")
    withdraw(dataset, "canny", names)
    blank = encode("binary", np.zeros((128, 128), np.uint8))
    for number, name in enumerate(names):
        numbers = range(SHARD * number, SHARD * (number + 1))
        rows = [{**family_row(image_row(row), row), "condition": blank} for row in numbers]
        table = pa.Table.from_pylist(rows, schema=family_schema("binary", {}, {"edge_density": pa.float32()}))
        put(table, shard_path(dataset.root, "canny", name), card)
    build_index(dataset)


def append(dataset: Dataset, numbers: range) -> None:
    """A second part, as `ingest.py --append` and `annotate.py` would."""
    plan = {"shard": [0] * len(numbers), "source": ["more"] * len(numbers), "member": [str(row) for row in numbers]}
    put(pa.table(plan, schema=plan_schema("more")), dataset.root / PLAN / "01.parquet")
    images = [image_row(number) for number in numbers]
    put(pa.Table.from_pylist(images, schema=IMAGES_SCHEMA), shard_path(dataset.root, IMAGES, shard_name(1, 0)))
    rows = [family_row(image, number) for image, number in zip(images, numbers, strict=True)]
    table = pa.Table.from_pylist(rows, schema=family_schema("binary", {}, {"edge_density": pa.float32()}))
    put(table, shard_path(dataset.root, "canny", shard_name(1, 0)), CARD)
    build_index(dataset)


@pytest.mark.parametrize("fields", [{}, {"where": "edge_density > 0.01 AND caption_length > 3"}, {"rows": 25}])
def test_a_subset_is_known_again_without_its_index(rooms: Dataset, fields: dict[str, object]) -> None:
    manifest = asked(rooms, **fields)
    path, drawn = build(manifest.model_copy(update={"rows": 40})), resolve(manifest)
    spoil_index(rooms)
    found = prepared(manifest)
    assert found is not None
    assert (found.path, found.fingerprint, found.found) == (path, drawn.fingerprint, drawn.found)
    assert found.account == drawn.account
    assert ensure_training_set(found, manifest) == path


@pytest.mark.parametrize("fields", [{"rows": 41}, {"seed": 1}, {"where": "edge_density > 0.01"}, {"parts": (0,)}])
def test_another_draw_is_not_taken_for_it(rooms: Dataset, fields: dict[str, object]) -> None:
    build(asked(rooms))
    assert prepared(asked(rooms, **fields)) is None


def test_a_take_down_is_noticed_even_before_the_index_is_built_again(rooms: Dataset) -> None:
    manifest = asked(rooms)
    first = open_training_set(build(manifest), 40)[0]["key"]
    pictures = {row["key"]: row["sha256"][:16] for row in map(image_row, range(100))}
    remove_pictures(rooms, [pictures[first]], "asked for")
    assert prepared(manifest) is None
    assert first not in open_training_set(build(manifest), 40).column("key")
    assert prepared(manifest) is not None


def test_what_is_known_of_the_first_rows_is_not_said_of_those_behind(rooms: Dataset) -> None:
    manifest = asked(rooms)
    path = build(manifest)
    last = open_training_set(path, 40)[39]["key"]
    pictures = {row["key"]: row["sha256"][:16] for row in map(image_row, range(100))}
    remove_pictures(rooms, [pictures[last]], "asked for")
    small = asked(rooms, rows=10)
    assert build(small) == path
    assert prepared(small) is not None, "its rows are the same as before, and known to be"
    assert prepared(manifest) is None
    assert last not in open_training_set(build(manifest), 40).column("key")


def test_an_appended_part_is_noticed(rooms: Dataset) -> None:
    manifest, pinned = asked(rooms), asked(rooms, parts=(0,))
    before, of_part = open_training_set(build(manifest), 40).column("key"), build(pinned)
    append(rooms, range(100, 125))
    assert prepared(manifest) is None
    assert open_training_set(build(manifest), 40).column("key") != before
    stamp = (of_part / "data-00000.arrow").stat()
    assert prepared(pinned) is None
    assert build(pinned) == of_part
    assert (of_part / "data-00000.arrow").stat() == stamp, "its rows are the draw's still, and are kept"
    found = prepared(pinned)
    assert found is not None
    assert found.account == resolve(pinned).account
    assert "of another part" in str(found.account)


@pytest.mark.parametrize("card", [NEW_PACKAGES, OTHER_SETTINGS])
def test_conditions_that_were_made_again_are_gathered_again(rooms: Dataset, card: FamilyCard) -> None:
    manifest = asked(rooms)
    before = open_training_set(build(manifest), 40).column("condition")
    refresh(rooms, card)
    assert prepared(manifest) is None
    rows = list(open_training_set(build(manifest), 40))
    assert [row["condition"] for row in rows] != before
    found = {key: cell for name in rooms.shards("canny") for key, cell in _cells(rooms, name)}
    assert all(row["condition"] == found[row["key"]] for row in rows)
    assert prepared(manifest) is not None


def test_an_index_that_was_built_again_is_read_again(rooms: Dataset) -> None:
    manifest = asked(rooms)
    path = build(manifest)
    build_index(rooms)
    assert prepared(manifest) is None
    assert build(manifest) == path
    assert prepared(manifest) is not None


def test_a_family_that_lost_its_index_is_refused(rooms: Dataset) -> None:
    manifest = asked(rooms)
    build(manifest)
    withdraw(rooms, "canny", rooms.shards("canny")[:1])
    assert prepared(manifest) is None
    with pytest.raises(ValueError, match="canny is not indexed"):
        build(manifest)


def test_a_set_of_an_older_layout_is_gathered_again(rooms: Dataset) -> None:
    manifest = asked(rooms)
    path = build(manifest)
    keys = resolve(manifest).rows["key"]
    (path / "complete.json").write_text('{"rows": 40, "files": 1, "fingerprint": "", "keys": []}')
    assert prepared(manifest) is None
    assert build(manifest) == path
    assert begins_with(path, keys)
    assert prepared(manifest) is not None


def test_a_set_that_was_never_finished_is_not_found(rooms: Dataset) -> None:
    manifest = asked(rooms)
    (build(manifest) / "complete.json").unlink()
    assert prepared(manifest) is None


def test_held_out_rows_are_known_again_without_the_index_until_the_dataset_changes(rooms: Dataset) -> None:
    manifest = asked(rooms)
    build(manifest)
    drawn = held_out(manifest, "validation", samples=5, seed=0)
    more = held_out(manifest, "validation", samples=500, seed=0)
    pictures = {row["key"]: row["sha256"][:16] for row in map(image_row, range(100))}
    spoil_index(rooms)
    assert held_out(manifest, "validation", samples=5, seed=0) == drawn
    assert held_out(manifest, "validation", samples=500, seed=0) == more
    with pytest.raises(pa.ArrowInvalid):
        held_out(manifest, "validation", samples=5, seed=1)
    remove_pictures(rooms, [pictures[drawn["key"][0].as_py()]], "asked for")
    build_index(rooms)
    assert drawn["key"][0] not in held_out(manifest, "validation", samples=5, seed=0)["key"]


def test_names_and_fingerprints_are_those_they_always_were(rooms: Dataset) -> None:
    manifest = asked(rooms)
    subset = resolve(manifest)
    assert training_set_path(manifest, subset.cards).name == "canny-76b3b63cda42"
    text = "\n".join([CARD.fingerprint, *subset.rows["key"].to_pylist()])
    assert subset.fingerprint == hashlib.sha256(text.encode()).hexdigest()[:16]


def _cells(dataset: Dataset, name: str) -> list[tuple[str, object]]:
    table = dataset.read("canny", name, ["key", "condition"])
    return [(row["key"], row["condition"]) for row in table.to_pylist()]
