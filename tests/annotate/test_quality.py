"""What is wrong with a photograph is seen in its numbers, and what is not wrong with it is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from annotate import stored
from annotate.image import JPEG_QUALITY, decode, encode_generated, normalise
from annotate.quality.annotator import Quality, judge
from annotate.quality.blockiness import blockiness
from annotate.quality.borders import border
from annotate.quality.colour import chroma, colourfulness
from annotate.quality.compression import jpeg_quality
from annotate.quality.focus import noise, sharpness
from annotate.shard import annotate_shard, bind
from annotate.stored import Stored
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index, read_index
from manifests.where import select

SHARED = Path(__file__).parents[3] / "shared/data"
FILES = sorted((SHARED / "photos").glob("*.jpg"))[::20] + sorted((SHARED / "bsds500").rglob("*.jpg"))[::10]
PHOTOS = [decode(file.read_bytes()) for file in FILES]
on_photos = pytest.mark.skipif(not PHOTOS, reason="no photographs here")

RGB = NDArray[np.uint8]
Change = Callable[[RGB], RGB]


def jpeg(image: RGB, quality: int) -> bytes:
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def saved(image: RGB, quality: int) -> RGB:
    return decode(jpeg(image, quality))


def shrunk(image: RGB, factor: float) -> RGB:
    """As ingest shrinks what is larger than it is told to store."""
    sides = [round(side * factor) for side in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, sides, interpolation=cv2.INTER_AREA), np.uint8)


def of(image: RGB) -> dict[str, Any]:
    return judge(Stored(encode_generated(image)))


def grey_of(image: RGB) -> RGB:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def rate(measure: Callable[[RGB], float | None], change: Change, before: Change = lambda image: image) -> float:
    """Of the photographs how many have more of it, in grey, after a change."""
    pairs = [(measure(grey_of(change(image))), measure(grey_of(before(image)))) for image in PHOTOS]
    return float(np.mean([after > origin for after, origin in pairs]))


@on_photos
@pytest.mark.parametrize("factor", [1, 0.8, 0.61, 0.5])
def test_blocks_of_jpeg_are_seen_after_shrinking_and_a_finer_saving(factor: float) -> None:
    def afterwards(image: RGB) -> RGB:
        return saved(shrunk(image, factor), JPEG_QUALITY)

    assert rate(blockiness, lambda image: afterwards(saved(image, 10)), afterwards) >= 0.95


@on_photos
def test_blocks_of_jpeg_are_seen_wherever_they_begin_and_however_the_picture_lies() -> None:
    for image in PHOTOS[:10]:
        bad = saved(image, 10)
        whole = blockiness(grey_of(bad))
        assert blockiness(grey_of(bad[3:, 5:])) == pytest.approx(whole, rel=0.1)
        for turned in (bad[:, ::-1], bad[::-1], np.rot90(bad)):
            assert blockiness(grey_of(np.ascontiguousarray(turned))) == pytest.approx(whole, rel=0.02)


@on_photos
def test_ingest_s_own_saving_of_a_bad_picture_keeps_its_mark() -> None:
    for image in PHOTOS[:6]:
        kept = normalise(jpeg(image, 10), max_side=max(image.shape) * 3 // 4).data
        judged = judge(Stored(kept))
        clean = judge(Stored(normalise(encode_generated(image), max_side=max(image.shape) * 3 // 4).data))
        assert judged["jpeg_quality"] == JPEG_QUALITY
        assert judged["blockiness"] > clean["blockiness"]


@on_photos
def test_a_blurred_copy_is_less_sharp_and_a_noisy_one_noisier() -> None:
    grain = np.random.default_rng(0)
    assert rate(sharpness, lambda image: cv2.GaussianBlur(image, (0, 0), 2)) == 0
    assert rate(noise, lambda image: cv2.add(image, grain.normal(0, 10, image.shape), dtype=cv2.CV_8U)) >= 0.95


def test_noise_is_told_by_its_deviation() -> None:
    plain = np.full((400, 300, 3), 120, np.uint8)
    grain = np.random.default_rng(0).normal(0, 8, (400, 300, 1))
    assert of(cv2.add(plain, np.repeat(grain, 3, 2), dtype=cv2.CV_8U))["noise"] == pytest.approx(8, rel=0.15)


@on_photos
def test_a_size_of_one_s_own_changes_sharpness_little() -> None:
    wide = [grey_of(image) for image in PHOTOS if min(image.shape[:2]) >= 256]
    twice, threefold = (
        [sharpness(np.asarray(cv2.resize(image, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC))) for image in wide]
        for by in (2, 3)
    )
    assert np.divide(threefold, twice) == pytest.approx(1, abs=0.4)


@on_photos
def test_a_grey_copy_is_grey_also_as_jpeg_and_a_sepia_one_has_one_ink() -> None:
    coloured = 0
    for image in PHOTOS:
        grey = np.repeat(grey_of(image)[..., None], 3, axis=2)
        for copy in (grey, saved(grey, 30), shrunk(grey, 0.6)):
            assert chroma(copy)["grey"] == 1
            assert chroma(copy)["chroma_spread"] == pytest.approx(0, abs=0.5)
            assert colourfulness(copy) < 1
        sepia = np.clip(grey * np.array([1.07, 0.9, 0.7]) + [5, 0, 0], 0, 255).astype(np.uint8)
        assert chroma(sepia)["grey"] < 0.8
        assert chroma(sepia)["chroma_spread"] < 2
        coloured += chroma(image)["grey"] < 0.98
    assert coloured > 0.9 * len(PHOTOS)


def test_colourfulness_is_that_of_the_paper_s_formula() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    red, green, blue = image.astype(float).transpose(2, 0, 1)
    rg, yb = red - green, (red + green) / 2 - blue
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert colourfulness(image) == pytest.approx(expected, rel=1e-5)


@on_photos
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (40, 120, 60)])
def test_bars_of_any_colour_are_a_border_also_after_jpeg(colour: tuple[int, int, int]) -> None:
    found = []
    for image in PHOTOS:
        if border(grey_of(image)):
            continue  # it has one already
        height = image.shape[0]
        bar = height // 8
        boxed = cv2.copyMakeBorder(image, bar, bar, 0, 0, cv2.BORDER_CONSTANT, value=colour)
        share = 2 * bar / (height + 2 * bar)
        found.append([abs(border(grey_of(copy)) - share) < 0.03 for copy in (boxed, saved(boxed, 50))])
    assert np.mean(found) >= 0.85
    assert len(found) > 0.8 * len(PHOTOS), "few photographs have bars"


@on_photos
def test_bars_are_seen_on_whichever_sides_they_are() -> None:
    image = PHOTOS[1]
    grey = grey_of(image)
    assert border(grey) == 0
    framed = cv2.copyMakeBorder(grey, 20, 30, 10, 40, cv2.BORDER_CONSTANT, value=200)
    share = 1 - grey.size / framed.size
    for turned in (framed, framed.T, framed[::-1], framed[:, ::-1]):
        assert border(np.ascontiguousarray(turned)) == pytest.approx(share, abs=0.02)


def test_paper_around_a_thing_and_a_sky_are_no_bars() -> None:
    disc = cv2.circle(np.full((200, 300), 255, np.uint8), (150, 100), 60, 90, -1)
    sky = np.tile(np.linspace(220, 120, 200).astype(np.uint8)[:, None], (1, 300))
    assert border(disc) == 0
    assert border(sky) == 0


@pytest.mark.parametrize("quality", [1, 5, 10, 30, 50, 75, 90, 95, 100])
def test_the_quality_that_a_jpeg_was_saved_at_is_read_from_its_tables(quality: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    assert jpeg_quality(jpeg(image, quality)) == quality
    assert jpeg_quality(encode_generated(image)) is None
    assert jpeg_quality(b"\xff\xd8\xff damaged") is None


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 40), (16, 16), (33, 31), (20_000, 10), (300, 200)])
def test_pictures_of_one_colour_and_of_any_size_have_finite_numbers(size: tuple[int, int], level: int) -> None:
    found = of(np.full((*size, 3), level, np.uint8))
    assert set(found) == set(Quality.stats)
    assert all(value is None or np.isfinite(value) for value in found.values())
    assert (found["sharpness"], found["grey"], found["contrast"], found["border"]) == (0, 1, 0, 1)
    assert found["clipped"] == (0 if level == 128 else 1)
    assert found["blockiness"] == (None if max(size) < 32 else 0)


def test_noise_of_any_size_has_finite_numbers() -> None:
    for size in [(1, 1), (7, 3), (16, 16), (8, 9000), (64, 64)]:
        found = of(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
        assert all(value is None or np.isfinite(value) for value in found.values())
        for share in ("grey", "clipped", "border", "brightness", "span"):
            assert 0 <= found[share] <= 1


@on_photos
def test_a_mirrored_or_turned_picture_has_the_same_numbers() -> None:
    for image in PHOTOS[:5]:
        upright = of(image)
        for turned in (image[:, ::-1], image[::-1], np.rot90(image)):
            found = of(np.ascontiguousarray(turned))
            for name in ("sharpness", "colourfulness", "contrast", "span", "clipped", "border", "grey"):
                assert found[name] == pytest.approx(upright[name], rel=0.08, abs=0.02), name
            assert found["short_side"] == upright["short_side"]


def make(dataset: Dataset, *families: str) -> None:
    tasks = make_tasks(dataset, families, resolution=64)
    for task in tasks:
        create_card(dataset.root, task.card)
    bound = bind(tasks, torch.device("cpu"))
    for name in dataset.shards():
        annotate_shard(dataset, name, bound, batch_size=4, threads=0, done=lambda _: None)
    build_index(dataset)


def test_a_job_of_conditions_and_numbers_decodes_every_picture_once(
    ingest: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def counted(data: bytes) -> RGB:
        decoded.append(data)
        return decode(data)

    monkeypatch.setattr(stored, "decode", counted)
    make(ingest("playroom:6"), "canny", "quality", "caption_quality", "phash")
    assert len(decoded) == 6


def test_faults_are_kept_out_by_one_line(tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    good, *others = [decode(data) for data in png[:3]]
    grey = np.repeat(cv2.cvtColor(others[0], cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    pictures = {"a": encode_generated(good), "b": encode_generated(grey), "c": jpeg(others[1], 20)}
    for (name, data), words in zip(pictures.items(), ["a circle", "a grey one", "cafÃ©"], strict=True):
        (corpus / f"{name}.{'jpg' if name == 'c' else 'png'}").write_bytes(data)
        (corpus / f"{name}.txt").write_text(words)
    dataset = ingest(corpus)
    make(dataset, "quality", "caption_quality")
    tables = {name: read_index(dataset, name) for name in ("rows", "quality", "caption_quality")}

    def kept(where: str) -> list[bool]:
        return select(where, tables).tolist()

    assert kept("grey < 0.99") == [True, False, True]
    assert kept("jpeg_quality >= 50 OR jpeg_quality IS NULL") == [True, True, False]
    assert kept("jpeg_quality < 50") == [False, False, True]
    assert kept("odd = 0 AND words >= 2") == [True, True, False]
    assert kept("caption_repeats <= 1 AND quality.aspect BETWEEN 0.5 AND 2") == [True, True, True]
