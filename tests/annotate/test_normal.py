"""Normals point where they are said to point, and are the same whenever they are made."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from annotate import stored
from annotate.borrowed import borrow
from annotate.corpora import playroom
from annotate.hed import WEIGHTS
from annotate.image import decode, encode_generated, fit
from annotate.normal import Normal
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests.condition import as_stored, encode
from manifests.condition import decode as decode_condition
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.geometry import flip
from tests.annotate.toy_depth import write_toy_dpt

PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:3]
CPU = torch.device("cpu")
FAMILIES = ("canny", "hed", "depth", "openpose", "segmentation", "scribble")
MODELS = {"depth": "toy-dpt", "openpose": "tiny", "segmentation": "tiny/segmentation"}


def normals(depth: np.ndarray, **settings: float) -> np.ndarray:
    """Of one map [H, W]: [H, W, 3] float, each component in [-1, 1]."""
    (found,) = Normal(**settings).load(CPU)(depth[None].astype(np.float32), [{}])
    assert found.dtype == np.uint8
    return found / 127.5 - 1


def test_a_plane_that_comes_nearer_to_the_right_has_a_positive_x_and_one_that_does_so_below_a_positive_y() -> None:
    ramp = np.tile(np.arange(32, dtype=np.float32), (32, 1))  # Sobel of a slope of 1 is 8
    x, y, z = normals(ramp, a=8.0, background=0.0)[16, 16]
    assert (x, y, z) == pytest.approx((0.5**0.5, 0, 0.5**0.5), abs=0.01)
    x, y, z = normals(ramp.T, a=8.0, background=0.0)[16, 16]
    assert (x, y, z) == pytest.approx((0, 0.5**0.5, 0.5**0.5), abs=0.01)


def test_a_ball_shows_its_left_side_to_the_left_and_its_top_upwards() -> None:
    y, x = np.mgrid[-31.5:32, -31.5:32]
    height = np.sqrt(np.maximum(30.0**2 - x**2 - y**2, 0))  # towards the viewer, in pixels
    found = normals(height, a=8.0, background=0.05)  # 8: Sobel's weight, so that a pixel is as deep as it is wide
    inside = x**2 + y**2 < 20**2
    true = np.stack([-x, -y, height], axis=2) / 30  # left, up, to the viewer
    assert np.abs(found - true)[inside].max() < 0.03
    assert np.array_equal(found[0, 0], normals(np.zeros((16, 16)))[0, 0])  # background faces the viewer


def test_normals_of_the_playroom_lean_as_its_true_ones() -> None:
    agreed = []
    for row in range(6):
        scene = playroom.arrange(np.random.default_rng((5, row, 128)))
        seen = playroom.cast(scene, 128)
        found = normals(1000 / seen.depth)
        on_things = (seen.thing >= 0) & (np.abs(found[..., :2]).max(axis=2) > 0.3)
        true_left, true_up = -seen.normal[..., 0], seen.normal[..., 1]
        agreed += [(found[..., 0] * true_left)[on_things & (np.abs(true_left) > 0.3)] > 0]
        agreed += [(found[..., 1] * true_up)[on_things & (np.abs(true_up) > 0.3)] > 0]
    assert np.concatenate(agreed).mean() > 0.85  # outlines lean from one thing to the next


def test_slopes_are_those_of_opencv() -> None:
    rng = np.random.default_rng(0)
    depth = cv2.GaussianBlur(rng.random((40, 61), np.float32), (0, 0), 2) * 20
    x, y = (cv2.Sobel(depth, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1)))
    far = (depth - depth.min()) / np.ptp(depth) < 0.1
    assert 0 < far.mean() < 0.5
    true = np.stack([np.where(far, 0, x), np.where(far, 0, y), np.full_like(x, 2 * np.pi)], axis=2)
    true /= np.linalg.norm(true, axis=2, keepdims=True)
    assert np.abs(normals(depth) - true).max() < 1.01 / 127.5  # cut to whole steps of 255


def test_flipping_depth_flips_its_normals_within_one_step_of_255() -> None:
    depth = cv2.GaussianBlur(np.random.default_rng(1).random((2, 48, 64), np.float32)[0], (0, 0), 3) * 50
    annotate = Normal().load(CPU)
    (once,), (mirrored,) = annotate(depth[None], [{}]), annotate(depth[None, :, ::-1].copy(), [{}])
    assert once[..., 0].std() > 5
    assert np.abs(flip("normal", once).astype(int) - mirrored).max() <= 1


def test_flat_depth_is_empty_and_never_nan() -> None:
    batch = np.stack([np.full((16, 256), level, np.float32) for level in (0.0, 7.0, -1e6)])
    for condition in Normal().load(CPU)(batch, [{}] * 3):
        assert np.array_equal(condition, np.broadcast_to(np.array([127, 127, 255], np.uint8), (16, 256, 3)))
        assert Normal().empty(condition)
        assert Normal().measure(condition) == {"flat_share": 1}


def test_flat_share_counts_background_and_level_ground() -> None:
    steps = np.zeros((16, 40), np.float32)
    steps[:, 20:] = 100.0
    (condition,) = Normal().load(CPU)(steps[None], [{}])
    assert Normal().measure(condition)["flat_share"] == pytest.approx(39 / 40)  # the near side of the step leans
    assert not Normal().empty(condition)


def test_settings_that_make_no_normals_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a 0\.0 and background 0\.1 make no normals"):
        build("normal", {"a": 0}, "normal")
    with pytest.raises(ValueError, match=r"background 1\.5 make no normals"):
        build("normal", {"background": 1.5}, "normal")


@pytest.fixture
def dataset(tmp_path: Path, ingest: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Three photographs of two shapes and a blank wall, and weights drawn at random."""
    if not PHOTOS:
        pytest.skip("no photographs here")
    weights, corpus = tmp_path / "weights", tmp_path / "corpus"
    write_toy_dpt(weights / "toy-dpt")
    torch.manual_seed(0)
    torch.save(borrow("hed").ControlNetHED_Apache2().state_dict(), weights / WEIGHTS)
    monkeypatch.setenv(VARIABLE, str(weights))
    corpus.mkdir()
    pictures = [fit(decode(path.read_bytes()), 64) for path in PHOTOS]
    for number, picture in enumerate([*pictures, np.full((64, 64, 3), 90, np.uint8)]):
        (corpus / f"{number}.png").write_bytes(encode_generated(picture))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    return ingest(corpus)


def annotate(dataset: Dataset, *families: str) -> None:
    settings = [f"{family}.model={model}" for family, model in MODELS.items() if family in families]
    tasks = make_tasks(dataset, families, settings=settings, resolution=64)
    for task in tasks:
        create_card(dataset.root, task.card)
    (name,) = dataset.shards()
    annotate_shard(dataset, name, bind(tasks, CPU), batch_size=2, threads=1, done=lambda _: None)


def hashes(dataset: Dataset, *, but: str) -> dict[Path, str]:
    """Of every file of a dataset outside one family."""
    root = Path(str(dataset.root))
    return {
        path: sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] != but
    }


def test_six_families_at_once_decode_each_picture_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def counted(data: bytes) -> np.ndarray:
        decoded.append(sha256(data).digest())
        return decode(data)

    monkeypatch.setattr(stored, "decode", counted)
    annotate(dataset, *FAMILIES)
    assert set(dataset.families()) >= set(FAMILIES)
    assert len(decoded) == len(set(decoded)) == 4


def test_normals_added_later_touch_no_other_family_and_are_those_of_the_same_job(dataset: Dataset) -> None:
    annotate(dataset, *FAMILIES, "normal")
    (name,) = dataset.shards()
    path = dataset.path("normal", name)
    together, others = path.read_bytes(), hashes(dataset, but="normal")
    assert len(others) > len(FAMILIES)
    path.unlink()
    annotate(dataset, "normal")
    assert path.read_bytes() == together
    assert hashes(dataset, but="normal") == others


def test_a_row_of_normals_says_how_flat_it_is(dataset: Dataset, rows: Callable[..., list]) -> None:
    annotate(dataset, "depth", "normal")
    assert dataset.card("normal").made_from == {"depth": dataset.card("depth").fingerprint}
    for row, source in zip(rows(dataset, "normal"), rows(dataset, "depth"), strict=True):
        condition = decode_condition("normal", row["condition"])
        depth = decode_condition("depth", source["condition"])
        assert row["status"] == source["status"] == "ok"
        assert row["stats"] == pytest.approx(Normal().measure(condition))
        assert source["stats"]["dynamic_range"] > 0
        assert np.array_equal(condition, Normal().load(CPU)(depth[None], [{}])[0])


def test_depth_as_it_is_stored_is_what_its_png_gives() -> None:
    depth = np.random.default_rng(2).normal(size=(20, 30)).astype(np.float32) * 1000
    assert np.array_equal(as_stored("depth", depth), decode_condition("depth", encode("depth", depth)))
