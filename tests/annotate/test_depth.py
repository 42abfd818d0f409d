"""Depth is controlnet_aux's and transformers', in batches; so are the normals and the hints made of it."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from controlnet_aux import MidasDetector
from controlnet_aux.midas.midas.transforms import Resize
from PIL import Image
from torch.nn import functional
from transformers import pipeline

from annotate.annotator import Annotate
from annotate.depth import WEIGHTS, Depth, multiple
from annotate.image import decode, fit
from annotate.normal import Normal
from annotate.registry import build
from annotate.weights import VARIABLE
from manifests.condition import as_stored
from manifests.family import Profile
from manifests.geometry import flip
from tests.annotate.toy_depth import write_midas, write_toy_depth_anything, write_toy_dpt
from train.hints import hint

PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:3]
SIZE = 128  # pixels: the network is slow on a CPU
TOYS = ("toy-dpt", "toy-depth-anything")
CPU = torch.device("cpu")
photographs = pytest.mark.skipif(not PHOTOS, reason="no photographs here")


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("weights")
    write_toy_dpt(folder / TOYS[0])
    write_toy_depth_anything(folder / TOYS[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module")
def theirs(weights: Path) -> MidasDetector:
    return MidasDetector(write_midas(weights))


@pytest.fixture(scope="module")
def ours(theirs: MidasDetector) -> Annotate:
    return Depth().load(CPU)


def pictures(profile: Profile) -> list[np.ndarray]:
    """Two wide photographs of one size, and a tall one between them."""
    first, second, third = (decode(path.read_bytes())[:180, :270] for path in PHOTOS)
    return [fit(image, SIZE, profile) for image in (first, np.rot90(second), third)]


def in_batches(annotate: Annotate, images: list[np.ndarray]) -> list[np.ndarray]:
    """Annotate pictures of several sizes, those of a size together, in the order given."""
    places = defaultdict(list)
    for place, image in enumerate(images):
        places[image.shape].append(place)
    assert 1 < len(places) < len(images)
    found = {}
    for batch in places.values():
        conditions = annotate(np.stack([images[place] for place in batch]), [{}] * len(batch))
        found |= dict(zip(batch, conditions, strict=True))
    return [found[place] for place in range(len(images))]


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    assert one.shape == other.shape
    return np.abs(one.astype(float) - other)


def as_bytes(kind: str, condition: np.ndarray) -> np.ndarray:
    """The hint as 8 bits, cut as controlnet_aux cuts: [H, W, 3] uint8."""
    bright = hint(kind, condition).permute(1, 2, 0).numpy().astype(np.float64) * 255
    return (bright + 1e-4).astype(np.uint8)  # a hint that was 8 bits before stays what it was


@photographs
def test_hints_of_midas_equal_controlnet_aux_within_one_step_of_255(ours: Annotate, theirs: MidasDetector) -> None:
    normal = build("normal", {}, "normal").load(CPU)
    images = pictures("aux")
    for image, depth in zip(images, in_batches(ours, images), strict=True):
        drawn = theirs(image, detect_resolution=SIZE, image_resolution=SIZE, depth_and_normal=True)
        their_depth, their_normal = drawn
        assert np.ptp(their_depth) == 255
        assert their_normal.reshape(-1, 3).std(axis=0).min() > 20
        stored = as_stored("depth", depth)
        off = apart(as_bytes("depth", stored), their_depth)
        assert off.max() <= 1
        assert off.mean() < 0.01
        off = apart(as_bytes("normal", normal(stored[None], [{}])[0]), their_normal).max(axis=2)
        assert (off > 1).mean() < 1e-3  # pixels at the very bound of the background, which have a slope here or there
        assert np.median(off) == 0


@photographs
def test_normals_of_the_same_depth_equal_controlnet_aux_within_one_step_of_255(theirs: MidasDetector) -> None:
    image = pictures("aux")[0]
    with torch.no_grad():
        depth = theirs.model((torch.from_numpy(image).float() / 127.5 - 1).permute(2, 0, 1)[None]).numpy()
    for settings in ({}, {"a": 6.2, "background": 0.4}):
        asked = {{"a": "a", "background": "bg_th"}[name]: value for name, value in settings.items()}
        drawn = theirs(image, detect_resolution=SIZE, image_resolution=SIZE, depth_and_normal=True, **asked)
        (ours,) = build("normal", settings, "normal").load(CPU)(depth, [{}])
        off = apart(as_bytes("normal", ours), drawn[1])
        assert off.max() <= 1
        assert off.mean() < 1e-3


@photographs
def test_sides_that_are_no_multiples_of_32_are_resized_as_midas_does(ours: Annotate, theirs: MidasDetector) -> None:
    image = fit(decode(PHOTOS[0].read_bytes()), 100)
    height, width = image.shape[:2]
    assert width % 32
    cubic = {"ensure_multiple_of": 32, "resize_method": "minimal", "image_interpolation_method": cv2.INTER_CUBIC}
    resized = Resize(width, height, resize_target=False, **cubic)({"image": image / 255})["image"]
    assert resized.shape[:2] == (multiple(height), multiple(width))
    with torch.no_grad():
        found = theirs.model(torch.from_numpy((resized - 0.5) / 0.5).float().permute(2, 0, 1)[None])
    back = functional.interpolate(found[None], (height, width), mode="bicubic", align_corners=False)[0, 0].numpy()
    (depth,) = ours(image[None], [{}])
    assert apart(depth, back).max() < 1e-3 * np.ptp(back)


@photographs
@pytest.mark.parametrize("model", TOYS)
def test_depth_of_transformers_equals_its_pipeline_within_a_thousandth(model: str, weights: Path) -> None:
    images = pictures("exact")
    alone = pipeline("depth-estimation", model=str(weights / model))
    for image, depth in zip(images, in_batches(Depth(model).load(CPU), images), strict=True):
        found = alone(Image.fromarray(image))
        expected = found["predicted_depth"].numpy()
        assert np.ptp(expected) > 1
        assert apart(depth, expected).max() < 1e-3 * np.ptp(expected)
        assert apart(as_bytes("depth", as_stored("depth", depth))[..., 0], np.asarray(found["depth"])).max() <= 1


@photographs
def test_flipping_picture_and_depth_gives_the_hint_of_the_flipped_picture() -> None:
    annotate, normal = Depth(TOYS[0]).load(CPU), Normal().load(CPU)  # a network that knows no left from right
    image = pictures("exact")[0]
    once, mirrored = (as_stored("depth", depth) for depth in annotate(np.stack([image, image[:, ::-1]]), [{}] * 2))
    assert apart(once, mirrored).max() > 1
    assert apart(as_bytes("depth", flip("depth", once)), as_bytes("depth", mirrored)).max() <= 1
    one, other = normal(np.stack([once, mirrored]), [{}] * 2)
    off = apart(as_bytes("normal", flip("normal", one)), as_bytes("normal", other)).max(axis=2)
    assert (off > 1).mean() < 1e-3  # pixels at the very bound of the background


def hard_pictures() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (40, 48, 1), np.uint8)
    return {
        "constant": np.full((48, 40, 3), 90, np.uint8),
        "tiny": rng.integers(0, 256, (16, 16, 3), np.uint8),
        "grey": np.repeat(grey, 3, axis=2),
        "long": rng.integers(0, 256, (16, 256, 3), np.uint8),
        "tall": rng.integers(0, 256, (256, 16, 3), np.uint8),
    }


@pytest.mark.parametrize("name", hard_pictures())
@pytest.mark.parametrize("model", ["dpt_hybrid", *TOYS])
def test_odd_pictures_have_a_finite_depth_of_their_own_size(model: str, name: str, ours: Annotate) -> None:
    image = hard_pictures()[name]
    annotate = ours if model == "dpt_hybrid" else Depth(model).load(CPU)
    (depth,) = annotate(image[None], [{}])
    assert depth.shape == image.shape[:2]
    assert depth.dtype == np.float32
    assert np.isfinite(depth).all()


def test_dynamic_range_is_the_one_computed_by_hand_and_flat_depth_is_empty() -> None:
    ramp = np.linspace(5, 20, 256, dtype=np.float32).reshape(16, 16)  # the farthest is four times as far
    assert Depth().measure(ramp) == {"dynamic_range": pytest.approx(0.75)}
    assert Depth().measure(ramp * 100) == {"dynamic_range": pytest.approx(0.75)}
    assert not Depth().empty(ramp)
    for level in (0.0, 7.0, -3.0):
        flat = np.full((16, 16), level, np.float32)
        assert Depth().measure(flat) == {"dynamic_range": 0}
        assert Depth().empty(flat)


def test_weights_that_are_truncated_or_of_another_network_are_refused(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: MidasDetector
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    whole = (weights / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not weights that can be read"):
        Depth().load(CPU)
    torch.save({"norm": torch.zeros(3)}, tmp_path / WEIGHTS)
    with pytest.raises(ValueError, match="weights of another network than DPTDepthModel"):
        Depth().load(CPU)
    shutil.copytree(weights / TOYS[0], tmp_path / "half")
    file = tmp_path / "half" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a model that can be read"):
        Depth("half").load(CPU)


def test_a_model_of_distances_is_refused(tmp_path: Path) -> None:
    write_toy_depth_anything(tmp_path / "metric", kind="metric")
    with pytest.raises(ValueError, match=r"metric is a depth_anything of distances, not of inverse depth. Choose"):
        Depth(str(tmp_path / "metric")).load(CPU)
