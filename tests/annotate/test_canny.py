"""Canny is OpenCV's, as controlnet_aux has it, with thresholds that are recorded."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from controlnet_aux import CannyDetector
from controlnet_aux.util import resize_image
from PIL import Image

from annotate.canny import trace_edges
from annotate.image import decode, encode_generated, fit
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests import condition
from manifests.dataset import Dataset
from manifests.geometry import flip

PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:6]
pytestmark = pytest.mark.skipif(not PHOTOS, reason="no photographs here")
DRAWN = ("canny.low_range=[50, 120]", "canny.high_range=[120, 250]", "canny.seed=7")


@pytest.fixture
def photographs(tmp_path: Path, ingest: Callable[..., Dataset]) -> Dataset:
    """Six photographs and a blank wall, 160 pixels on the short side, in one shard."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    pictures = [fit(decode(path.read_bytes()), 160) for path in PHOTOS] + [np.full((160, 200, 3), 90, np.uint8)]
    for number, picture in enumerate(pictures):
        (corpus / f"{number}.png").write_bytes(encode_generated(picture))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    return ingest(corpus)


def annotate(dataset: Dataset, *settings: str, batch_size: int = 4) -> Path:
    tasks = make_tasks(dataset, ["canny"], settings=settings, resolution=160)
    (name,) = dataset.shards()
    bound = bind(tasks, torch.device("cpu"))
    annotate_shard(dataset, name, bound, batch_size=batch_size, threads=2, done=lambda _: None)
    return dataset.path("canny", name)


@pytest.mark.parametrize("thresholds", [(100, 200), (30, 60)])
def test_edges_equal_those_of_controlnet_aux_bit_for_bit(thresholds: tuple[int, int]) -> None:
    low, high = thresholds
    for path in PHOTOS:
        resized = resize_image(decode(path.read_bytes()), 512)
        (edges,) = trace_edges(resized[None], [{"low": low, "high": high}])
        theirs = CannyDetector()(Image.open(path), low, high)
        assert np.array_equal(edges * np.uint8(255), np.asarray(theirs)[..., 0])


def test_edges_are_the_same_bytes_everywhere() -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
    (edges,) = trace_edges(picture[None], [{"low": 100, "high": 200}])
    assert 0.1 < edges.mean() < 0.3
    assert sha256(edges.tobytes()).hexdigest()[:16] == "e36fc83971641b21"  # whole numbers throughout


def test_edges_of_a_flipped_picture_are_the_flipped_edges() -> None:
    for path in PHOTOS:
        image = fit(decode(path.read_bytes()), 256)
        one, other = trace_edges(np.stack([image, image[:, ::-1]]), [{"low": 100, "high": 200}] * 2)
        mirrored = flip("binary", one)
        near = cv2.dilate(other, np.ones((3, 3), np.uint8))
        assert (mirrored & other).sum() > 0.97 * (mirrored | other).sum()  # of two equal pixels OpenCV takes the left
        assert (mirrored & near).sum() > 0.99 * mirrored.sum()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 64), (97, 131)])
@pytest.mark.parametrize("levels", [2, 8, 256])  # few levels: channels that change alike
def test_edges_equal_those_of_opencv_on_noise_of_any_size(size: tuple[int, int], levels: int) -> None:
    noise = np.random.default_rng(0).integers(0, levels, (*size, 3)) * (255 // (levels - 1))
    picture = noise.astype(np.uint8)
    for low, high in ((0, 0), (1, 1), (100, 200), (200, 900)):
        (edges,) = trace_edges(picture[None], [{"low": low, "high": high}])
        assert np.array_equal(edges * np.uint8(255), cv2.Canny(picture, low, high))


def test_thresholds_are_drawn_for_each_row_and_recorded(photographs: Dataset, rows: Callable[..., list]) -> None:
    annotate(photographs, *DRAWN)
    pictures, made = rows(photographs), rows(photographs, "canny")
    drawn = [(row["parameters"]["low"], row["parameters"]["high"]) for row in made]
    assert all(50 <= low <= 120 <= high <= 250 for low, high in drawn)
    assert len(set(drawn)) == len(drawn)
    for picture, row, (low, high) in zip(pictures, made, drawn, strict=True):
        edges = cv2.Canny(decode(picture["image"]["bytes"]), low, high) // 255
        assert np.array_equal(condition.decode("binary", row["condition"]), edges)
        assert row["stats"]["edge_density"] == pytest.approx(edges.mean())


def test_a_draw_depends_on_seed_and_key_alone() -> None:
    ranges = {"low_range": (50, 120), "high_range": (120, 250)}
    one, other = (build("canny", {**ranges, "seed": seed}, "canny") for seed in (7, 8))
    keys = [f"key {number}" for number in range(300)]
    assert [one.draw(key) for key in keys] == [one.draw(key) for key in keys]
    assert [one.draw(key) for key in keys] != [other.draw(key) for key in keys]
    assert {one.draw(key)["low"] for key in keys} >= {50, 120}, "both ends of a range belong to it"


def test_the_size_of_batches_changes_no_byte(photographs: Dataset) -> None:
    path = annotate(photographs, *DRAWN, batch_size=1)
    alone = path.read_bytes()
    path.unlink()
    annotate(photographs, *DRAWN, batch_size=4)
    assert path.read_bytes() == alone


def test_a_picture_without_an_edge_is_empty_not_failed(photographs: Dataset, rows: Callable[..., list]) -> None:
    annotate(photographs)
    status = {
        picture["captions"][0]: row["status"]
        for picture, row in zip(rows(photographs), rows(photographs, "canny"), strict=True)
    }
    assert status == {"picture 6": "empty"} | {f"picture {number}": "ok" for number in range(6)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low": 300}, "out of order"),
        ({"low_range": (5, 50)}, "go together"),
        ({"low": "much"}, "low: .*integer"),
        ({"lo": 5}, r"no setting 'lo' \(did you mean 'low'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build("canny", settings, "canny")
