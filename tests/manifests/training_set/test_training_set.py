"""A training set holds what a manifest names beside its condition: further conditions, latents, and no row too many."""

import os
import pickle
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from manifests.condition import decode, encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, Weights, create_card
from manifests.figures import Moments, Text, View
from manifests.footer import write_shard
from manifests.index import build_index
from manifests.manifest import Manifest
from manifests.record import family_schema
from manifests.storage import publish
from manifests.subset import resolve
from manifests.training_set.folder import training_set_path
from manifests.training_set.gather import Families, forecast_reading, rows_by_shard
from manifests.training_set.prepared import prepared
from manifests.training_set.rows import BATCH_ROWS, FILE_ROWS, Rows, write_rows
from manifests.training_set.training_set import _ordered, ensure_training_set, open_training_set

ENCODER = b"weights of an autoencoder"
SOFT = FamilyCard(family="soft", annotator="hed", version=1, kind="soft")
WORDS = FamilyCard(family="caption", annotator="caption", version=1, kind="text")
HALF = FamilyCard(family="half", annotator="hed", version=1, kind="soft")
LATENTS = FamilyCard(
    family="latents",
    annotator="latents",
    version=1,
    kind="latents",
    settings={"size": 128, "base": "some/base", "flips": False},
    weights=[
        Weights(
            file="diffusion_pytorch_model.safetensors",
            sha256=sha256(ENCODER).hexdigest(),
            licence="none",
            source="a test",
        )
    ],
)


def soft_of(place: int) -> tuple[str, Any]:
    """Every third row of a shard is empty, though it holds a map; every fourth has failed."""
    status = "failed" if place % 4 == 3 else "empty" if place % 3 == 2 else "ok"
    return status, None if status == "failed" else encode("soft", np.full((128, 128), place, np.uint8))


def latents_of(place: int) -> tuple[str, Any]:
    """Every fifth row of a shard has failed."""
    if place % 5 == 4:
        return "failed", None
    return "ok", encode("latents", Moments((128, 128), (View(0, 0),), np.full((1, 2, 4, 2, 2), place, np.float16)))


def words_of(place: int) -> tuple[str, Any]:
    return "ok", encode("text", Text((128, 128), f"row {place}"))


def write_family(dataset: Dataset, card: FamilyCard, row_of: Callable[[int], tuple[str, Any]], shards: int = 8) -> None:
    create_card(dataset.root, card)
    for name in dataset.shards()[:shards]:
        rows = []
        for place, key in enumerate(dataset.read("images", name, ["key"])["key"].to_pylist()):
            status, condition = row_of(place)
            row = {"key": key, "status": status, "code": "", "error": "", "condition": condition}
            rows.append(row | {"width": 128, "height": 128})
        table = pa.Table.from_pylist(rows, schema=family_schema(card.kind, {}, {}))
        publish(partial(write_shard, table, card=card), dataset.path(card.family, name))


@pytest.fixture(scope="module")
def rooms(made: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Playroom pictures with families to name beside canny; one is not whole."""
    dataset = made(tmp_path_factory.mktemp("beside") / "rooms")
    write_family(dataset, SOFT, soft_of)
    write_family(dataset, WORDS, words_of)
    write_family(dataset, LATENTS, latents_of)
    write_family(dataset, HALF, soft_of, shards=3)
    build_index(dataset)
    return dataset


def asked(dataset: Dataset, **fields: object) -> Manifest:
    manifest = {"dataset": dataset.root, "condition": "canny", "rows": 60, "base": "some/base", "resolution": 128}
    return Manifest(**{**manifest, **fields})


def places(manifest: Manifest) -> list[int]:
    """Where the subset's rows lie in their shards, in draw order."""
    return resolve(manifest).rows["row"].to_pylist()


def test_a_further_condition_has_a_column_that_is_null_where_its_status_is_not_ok(rooms: Dataset) -> None:
    manifest = asked(rooms, further_conditions=["soft"])
    rows = list(open_training_set(ensure_training_set(resolve(manifest), manifest), 60))
    plain = list(open_training_set(ensure_training_set(resolve(asked(rooms)), asked(rooms)), 60))
    assert [{name: row[name] for name in plain[0]} for row in rows] == plain, "no row is kept out for it"
    found = [decode("soft", row["condition:soft"]).max() if row["condition:soft"] else None for row in rows]
    assert found == [place if soft_of(place)[0] == "ok" else None for place in places(manifest)]
    assert 0 < found.count(None) < 60


@pytest.mark.parametrize("encode_by", ["cached", "live"])
def test_rows_without_latents_are_kept_out_and_pictures_where_they_are_not_needed(
    rooms: Dataset, encode_by: str
) -> None:
    manifest = asked(rooms, latents="latents", engine={"encode": encode_by})
    subset = resolve(manifest)
    assert {out.reason: out.said for out in subset.account.kept_out}["latents_failed"] == "with latents failed"
    table = open_training_set(ensure_training_set(subset, manifest), 60)
    assert ("image" in table.column_names) == (encode_by == "live")
    found = [decode("latents", row["latents"]).values.max() for row in table]
    assert found == places(manifest)
    assert not any(place % 5 == 4 for place in places(manifest))


def test_pieces_that_arrow_could_not_join_are_ordered_row_by_row() -> None:
    generator = np.random.default_rng(0)
    pieces = [pa.table({"key": [f"{at}"], "position": [at]}) for at in generator.permutation(600).tolist()]
    parts = list(_ordered(pa.concat_tables(pieces), pa.schema([("key", pa.string())])))
    assert [len(part) for part in parts] == [256, 256, 88]
    assert pa.concat_tables(parts)["key"].to_pylist() == [str(at) for at in range(600)]


def test_what_is_read_without_pictures_is_less(rooms: Dataset) -> None:
    manifest = asked(rooms, latents="latents")
    by_shard = rows_by_shard(resolve(manifest).rows)
    live = asked(rooms, latents="latents", engine={"encode": "live"})
    cached, both = (forecast_reading(rooms, Families.of(each), by_shard).writes for each in (manifest, live))
    assert cached < both / 2


def test_families_beside_the_condition_are_part_of_what_a_training_set_and_a_subset_are(rooms: Dataset) -> None:
    asks = [asked(rooms), asked(rooms, further_conditions=["soft"]), asked(rooms, latents="latents")]
    subsets = [resolve(manifest) for manifest in asks]
    assert len({subset.fingerprint for subset in subsets}) == 3
    live = asked(rooms, latents="latents", engine={"encode": "live"})
    assert resolve(live).fingerprint == subsets[2].fingerprint, "the same rows and families, however they are read"
    assert len({training_set_path(each, resolve(each).cards) for each in (*asks, live)}) == 4


def test_what_is_known_of_families_beside_the_condition_is_known_without_the_index(rooms: Dataset) -> None:
    for fields in ({"further_conditions": ["soft"]}, {"latents": "latents"}, {"captions": "caption"}):
        manifest = asked(rooms, **fields)
        subset = resolve(manifest)
        path = ensure_training_set(subset, manifest)
        smaller = asked(rooms, rows=11, **fields)
        found = prepared(smaller)
        assert found is not None
        assert (found.path, found.cards) == (path, subset.cards)
        assert (found.fingerprint, found.account) == (resolve(smaller).fingerprint, resolve(smaller).account)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"further_conditions": ["sotf"]}, r"no condition 'sotf'.*Did you mean 'soft'"),
        ({"further_conditions": ["soft", "soft"]}, r"further_conditions: soft is named twice"),
        ({"further_conditions": ["canny"]}, r"further_conditions: canny is named twice"),
        ({"further_conditions": ["caption"]}, r"caption holds words, of which no hint is drawn"),
        ({"further_conditions": ["latents"]}, r"holds encoded pictures.*say `latents: latents`"),
        ({"further_conditions": ["half"]}, r"half is not indexed \(5 shards are missing\)"),
        ({"latents": "soft"}, "latents: soft holds soft"),
        ({"latents": "latnets"}, r"no condition 'latnets'.*Did you mean 'latents'"),
        ({"latents": "latents", "resolution": 64}, "resolution: 64, but the views of latents have 128 pixels"),
        ({"latents": "latents", "base": "other/base"}, "autoencoder of some/base, which is not that of other/base"),
    ],
)
def test_a_family_that_does_not_hold_what_it_is_named_for_is_refused(
    rooms: Dataset, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(asked(rooms, **fields))


def test_latents_of_which_some_are_not_made_yet_are_refused(rooms: Dataset) -> None:
    half = LATENTS.model_copy(update={"family": "some"})
    write_family(rooms, half, latents_of, shards=3)
    with pytest.raises(ValueError, match=r"some is not indexed \(5 shards are missing\)"):
        resolve(asked(rooms, latents="some"))


def test_a_base_in_a_folder_is_known_by_the_weights_of_its_autoencoder(rooms: Dataset, tmp_path: Path) -> None:
    weights = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(ENCODER)
    manifest = asked(rooms, latents="latents", base=str(tmp_path))
    assert resolve(manifest).cards.latents == LATENTS
    weights.write_bytes(b"of another")
    with pytest.raises(ValueError, match="which is not that of"):
        resolve(manifest)


def test_rows_are_found_in_any_file_and_by_another_process(tmp_path: Path) -> None:
    count = FILE_ROWS + BATCH_ROWS + 3
    numbers = pa.table({"number": np.arange(count)})
    pieces = [numbers.slice(start, 4_096) for start in range(0, count, 4_096)]
    assert write_rows(tmp_path, pieces) == 2
    rows = Rows(tmp_path, count - 1)
    wanted = [0, 1, BATCH_ROWS - 1, BATCH_ROWS, FILE_ROWS - 1, FILE_ROWS, FILE_ROWS + BATCH_ROWS + 1]
    for reader in (rows, pickle.loads(pickle.dumps(rows))):
        assert [reader[row]["number"] for row in wanted] == wanted
    assert rows.column("number") == list(range(count - 1))
    with pytest.raises(IndexError, match=f"row {count - 1} of {count - 1}"):
        rows[count - 1]


def test_who_reads_a_training_set_goes_on_when_a_larger_one_takes_its_place(rooms: Dataset) -> None:
    few, more = (asked(rooms, rows=rows, seed=11) for rows in (2, 4))
    small = open_training_set(ensure_training_set(resolve(few), few), 2)
    first = small[0]
    path = ensure_training_set(resolve(more), more)
    assert small[0] == first == open_training_set(path, 4)[0]
    assert not list(path.parent.glob(f".{path.name}*"))


def test_on_nfs_a_set_that_was_replaced_stays_for_readers_on_other_machines(
    rooms: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = SimpleNamespace(mountpoint=str(Path(rooms.root).resolve()), fstype="nfs4")
    automounter = SimpleNamespace(mountpoint=mount.mountpoint, fstype="autofs")
    mounts = [SimpleNamespace(mountpoint="/", fstype="ext4"), automounter, mount]
    monkeypatch.setattr("psutil.disk_partitions", lambda **_: mounts)
    few, more, most = (asked(rooms, rows=rows, seed=12) for rows in (2, 4, 6))
    path = ensure_training_set(resolve(few), few)
    ensure_training_set(resolve(more), more)
    (retired,) = path.parent.glob(f".{path.name}*")
    assert len(open_training_set(retired, 2).column("key")) == 2
    os.utime(retired, (0, 0))  # nobody has trained since 1970
    ensure_training_set(resolve(most), most)
    (left,) = path.parent.glob(f".{path.name}*")
    assert left != retired


def test_where_may_speak_of_the_latents_that_are_trained_on(rooms: Dataset) -> None:
    plain = resolve(asked(rooms, latents="latents", rows=8))
    said = "latents.code IS NULL OR latents.code <> 'elsewhere'"
    assert resolve(asked(rooms, latents="latents", rows=8, where=said)).rows.equals(plain.rows)
