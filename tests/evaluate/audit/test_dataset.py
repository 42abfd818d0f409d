"""A fault planted into pictures, captions, splits or files is found by the check that is for it, and by no other."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from annotate.image import decode
from annotate.weights import VARIABLE
from evaluate.audit.audit import Audit, Plan, as_json, audit
from evaluate.audit.page import write_page
from evaluate.audit.pictures import BLOCKS, LOW
from manifests.dataset import Dataset
from manifests.index import ROWS, index_path, read_index
from manifests.layout import IMAGES
from manifests.record import row_key
from manifests.removed import remove_pictures
from tests.annotate import random_models
from tests.evaluate.audit import plant
from tests.evaluate.audit.conftest import PHOTOS, build, named
from tests.evaluate.audit.test_families import said, states

Run = Callable[..., Audit]
on_photos = pytest.mark.skipif(not PHOTOS, reason="no photographs here")
HARM = '<script>alert("caught")</script><img src=x onerror=alert(1)>'


def with_captions(captions: Callable[[list[list[str]]], list[list[str]]]) -> plant.Change:
    """Other captions, with keys of their own as an ingest of such a corpus would have given them."""

    def change(rows: list[plant.Row]) -> list[plant.Row]:
        others = captions([row["captions"] for row in rows])
        keys = [row_key(row["sha256"], "\n".join(words)) for row, words in zip(rows, others, strict=True)]
        return [row | {"captions": words, "key": key} for row, words, key in zip(rows, others, keys, strict=True)]

    return change


def replant(dataset: Dataset, change: plant.Change, *families: str) -> None:
    """Change images/, and give its keys to these families."""
    plant.rewrite(dataset, IMAGES, change)
    for family in families:
        for name in dataset.shards(family):
            keys = dataset.read(IMAGES, name, ["key"])["key"].to_pylist()
            plant.rewrite(
                dataset, family, lambda rows, keys=keys: [r | {"key": key} for r, key in zip(rows, keys, strict=True)]
            )
    for name in dataset.shards(IMAGES):
        table = dataset.read(IMAGES, name)
        plant.replace(lambda partial, table=table: plant.write_shard(table, partial), dataset.path(IMAGES, name))
    plant.build_index(dataset)


def shuffled(captions: list[list[str]]) -> list[list[str]]:
    order = np.random.default_rng(0).permutation(len(captions))
    return [captions[place] for place in order]


def corpus(home: Path, pictures: dict[str, bytes]) -> str:
    home.mkdir()
    for name, data in pictures.items():
        (home / name).write_bytes(data)
        (home / name).with_suffix(".txt").write_text(named(name))
    return str(home)


def as_jpeg(data: bytes, quality: int, *, grey: bool = False) -> bytes:
    image = decode(data)[..., ::-1]
    if grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def test_captions_that_were_exchanged_after_ingest_are_found_by_their_keys(room: Dataset, run: Run) -> None:
    def change(rows: list[plant.Row]) -> list[plant.Row]:
        return [
            row | {"captions": words} for row, words in zip(rows, shuffled([r["captions"] for r in rows]), strict=True)
        ]

    plant.rewrite(room, IMAGES, change)
    assert states(run(room, "canny")) == {("captions", "")}


@pytest.mark.parametrize("seed", range(3))
def test_captions_shuffled_before_ingest_do_no_better_than_chance(tmp_path: Path, run: Run, seed: int) -> None:
    dataset = build(tmp_path / "room", "playroom:60", ["canny"], (), 64)
    order = np.random.default_rng(seed).permutation
    replant(dataset, with_captions(lambda words: [words[at] for at in order(len(words))]), "canny")
    found = run(dataset, "canny")
    assert states(found) == {("captions", "")}
    assert "no better than shuffled ones" in said(found, "captions", "")


def test_captions_missing_repeated_and_odd_are_counted(room: Dataset, run: Run) -> None:
    change = with_captions(lambda words: [["stock photo IMG_1234.jpg"] if at % 3 else [] for at in range(len(words))])
    replant(room, change, "canny")
    found = run(room, "canny", skip=("captions",))
    assert states(found) == {("repeated captions", ""), ("odd captions", "")}
    assert ("empty captions", "") in states(found, "warn")


def test_a_picture_in_two_splits_is_found(room: Dataset, run: Run) -> None:
    rows = read_index(room, ROWS)
    splits = rows["split"].to_pylist()

    def doubled(of: list[plant.Row]) -> list[plant.Row]:
        names = ("sha256", "stored_sha256", "image")
        first = {name: of[0][name] for name in names}
        return [
            first | {k: v for k, v in row.items() if k not in names} if at == 1 else row for at, row in enumerate(of)
        ]

    plant.rewrite(room, IMAGES, with_captions(lambda words: words) if not splits else doubled)
    table = plant.pq.read_table(room.root / "splits" / "00.parquet")
    clusters = table["cluster"].to_pylist()
    clusters[1] = clusters[0]
    table = table.set_column(table.column_names.index("cluster"), "cluster", [clusters])
    plant.replace(lambda partial: plant.pq.write_table(table, partial), room.root / "splits" / "00.parquet")
    plant.resplit(room, ["train", "test", *splits[2:]])
    found = run(room, "truth_edges", skip=("captions", "duplicates"))
    assert states(found) == {("splits", "")}
    assert "2 rows show a picture" in said(found, "splits", "")


def test_rows_that_were_taken_down_are_no_test_rows(room: Dataset, run: Run) -> None:
    rows = read_index(room, ROWS)
    plant.resplit(room, ["test"] * 4 + ["train"] * (len(rows) - 4))
    assert "4 rows are held out" in said(run(room, "truth_edges", sample=1), "test rows", "")
    remove_pictures(room, rows["picture"].to_pylist()[:3], "asked for")
    plant.build_index(room)
    assert "1 rows are held out" in said(run(room, "truth_edges", sample=1), "test rows", "")


@on_photos
def test_greys_and_pictures_that_jpeg_damaged_are_found(tmp_path: Path, run: Run) -> None:
    data = [photo.read_bytes() for photo in PHOTOS]
    for name, spoil in (("grey", lambda one: as_jpeg(one, 95, grey=True)), ("jpeg", lambda one: as_jpeg(one, 10))):
        pictures = {f"{at:03d}.jpg": spoil(one) if at % 3 == 0 else one for at, one in enumerate(data)}
        dataset = build(tmp_path / name, corpus(tmp_path / f"{name}_corpus", pictures), ["canny"], (), 64)
        assert states(run(dataset)) == {(name, "")}


def test_a_shard_that_is_missing_or_of_other_settings_is_found(room: Dataset, run: Run) -> None:
    (name,) = room.shards("canny")
    whole = room.read("canny", name)
    other = room.card("canny").model_copy(update={"version": 99})
    plant.replace(lambda partial: plant.write_shard(whole, partial, card=other), room.path("canny", name))
    assert states(run(room, "canny")) == {("bookkeeping", "canny")}
    room.path("canny", name).unlink()
    assert states(run(room, "canny")) == {("bookkeeping", "canny")}


def test_an_index_that_is_older_than_its_shards_is_found(room: Dataset, run: Run) -> None:
    before = index_path(room, "canny").read_bytes()
    plant.rewrite(room, "canny", lambda rows: [r | {"stats": {"edge_density": 0.5}} for r in rows])
    index_path(room, "canny").write_bytes(before)
    found = run(room, "canny")
    assert states(found) == {("bookkeeping", "canny")}
    assert "otherwise in its index" in said(found, "bookkeeping", "canny")


def test_pictures_changed_in_place_are_found(room: Dataset, run: Run) -> None:
    black = cv2.imencode(".png", np.zeros((128, 128, 3), np.uint8))[1].tobytes()
    plant.rewrite(
        room,
        IMAGES,
        lambda rows: [r | {"image": {"bytes": black, "path": None}} if at < 9 else r for at, r in enumerate(rows)],
    )
    found = run(room, "truth_depth")
    assert ("bookkeeping", "") in states(found)
    assert "9 sampled pictures have other bytes" in said(found, "bookkeeping", "")


def test_the_same_seed_draws_the_same_rows_and_another_others(sound_room: Dataset, run: Run) -> None:
    drawn = [run(sound_room, "truth_edges", sample=8, seed=seed).evidence.sample.where for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("count", [1, 2])
def test_a_dataset_of_next_to_no_rows_is_audited(tmp_path: Path, run: Run, count: int) -> None:
    dataset = build(tmp_path / "room", f"playroom:{count}", ["canny"], (), 64)
    assert not states(run(dataset))


def test_the_page_shows_what_is_wrong_and_trusts_no_caption(room: Dataset, tmp_path: Path) -> None:
    replant(room, with_captions(lambda words: [[HARM] for _ in words]), "canny", "truth_edges")
    plant.conditions(room, "canny", lambda edges: (1 - edges).astype(np.uint8))
    found = audit(room, Plan(("canny",), sample=12), torch.device("cpu"))
    page = write_page(found, tmp_path / "audit.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count('alt="made again"') == page.count('alt="stored"') >= 6
    said_again = json.loads(json.dumps(as_json(found)))
    assert said_again["state"] == "fail"
    assert {one["check"] for one in said_again["verdicts"] if one["state"] == "fail"} >= {"polarity", "odd captions"}


def test_what_does_not_exist_is_refused_with_what_does(sound_room: Dataset, run: Run) -> None:
    with pytest.raises(ValueError, match=r"no condition 'cany'.*canny"):
        run(sound_room, "cany")
    with pytest.raises(ValueError, match=r"--skip grammar: no such check\. There are bookkeeping"):
        run(sound_room, skip=("grammar",))


def test_one_quality_of_jpeg_is_the_least_in_the_audit_and_in_the_document() -> None:
    document = (Path(__file__).parents[3] / "docs/data-quality.md").read_text()
    assert f"blockiness < {BLOCKS} AND (jpeg_quality >= {LOW} OR jpeg_quality IS NULL)" in document


@on_photos
def test_quality_of_all_rows_is_asked_of_the_index_where_it_is_there(tmp_path: Path, run: Run) -> None:
    pictures = {f"{at:03d}.jpg": as_jpeg(photo.read_bytes(), 10 if at < 6 else 90) for at, photo in enumerate(PHOTOS)}
    words = ["quality", "caption_quality"]
    dataset = build(tmp_path / "photos", corpus(tmp_path / "corpus", pictures), words, (), 0)
    found = run(dataset, sample=1)
    assert states(found) == {("jpeg", "")}
    assert f"6 of {len(PHOTOS)} pictures are JPEG" in said(found, "jpeg", "")


@pytest.fixture
def random_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of CLIP that know nothing."""
    torch.manual_seed(0)
    random_models.clip(tmp_path / "clip")
    monkeypatch.setenv(VARIABLE, str(tmp_path))


def test_clip_is_asked_where_its_family_and_weights_are(tmp_path: Path, run: Run, random_clip: None) -> None:
    dataset = build(tmp_path / "room", "playroom:12", ["clip_score"], ("clip_score.model=clip",), 0)
    found = run(dataset, "clip_score")
    assert "CLIP: " in said(found, "captions", "")
    assert ("agreement", "clip_score") in states(found, "pass")


def test_captions_that_clip_alone_can_tell_and_finds_no_better_than_shuffled_fail(
    tmp_path: Path, run: Run, random_clip: None
) -> None:
    dataset = build(tmp_path / "room", "playroom:60", ["clip_score"], ("clip_score.model=clip",), 0)
    replant(dataset, with_captions(lambda words: [[named(str(at))] for at in range(len(words))]), "clip_score")
    found = run(dataset, "clip_score", sample=60)
    assert ("captions", "") in states(found)
    assert "no better than shuffled ones (CLIP: " in said(found, "captions", "")
