"""Latents are those that diffusers' autoencoder makes of the very pixels that training would encode itself."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from annotate.image import fit
from annotate.latents import Latents, cut, scaled, views_of
from annotate.registry import build, make_card
from annotate.shard import annotate_shard, bind
from annotate.stored import Stored
from annotate.task import make_tasks
from manifests.condition import decode, encode
from manifests.dataset import Dataset
from manifests.figures import Moments, View
from tests.toy_base import write_toy_base
from train.batches import decode_image, to_pixels
from train.views import Square

CPU = torch.device("cpu")
SIZE = 32
PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:4]
rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_toy_base(folder)
    return folder


def latents(base: Path, **settings: Any) -> Latents:
    built = build("latents", {"base": str(base), "size": SIZE, **settings}, "latents")
    assert isinstance(built, Latents)
    return built


def pictures(*sizes: tuple[int, int]) -> list[np.ndarray]:
    return [cv2.GaussianBlur(rng.integers(0, 256, (*size, 3), dtype=np.uint8), (5, 5), 2) for size in sizes]


def test_moments_are_those_of_diffusers_own_encoder(base: Path) -> None:
    (image,) = pictures((40, 52))
    (made,) = latents(base).load(CPU)(image[None], [{"crop_seed": 0}])
    vae = AutoencoderKL.from_pretrained(base / "vae").eval()
    with torch.inference_mode():
        theirs = vae.encode(to_pixels(image[4:36, 10:42].copy())[None]).latent_dist
    assert made.views == (View(4, 10),)
    assert np.allclose(made.values[0, 0], theirs.mean[0].numpy(), rtol=1e-3, atol=1e-5)
    assert np.allclose(made.values[0, 1], theirs.std[0].numpy(), rtol=1e-3, atol=1e-5)
    assert made.values[0, 0].std() > 0.01, "latents that are all alike would prove nothing"


def test_a_shard_of_mixed_sizes_holds_what_each_picture_gives_alone(
    base: Path, tmp_path: Path, ingest: Callable[..., Dataset], rows: Callable[..., list[dict[str, Any]]]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, picture in enumerate(pictures((40, 52), (52, 40), (40, 52), (64, 64), (40, 52))):
        cv2.imwrite(str(corpus / f"{number}.png"), picture)
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    dataset = ingest(corpus)
    asked = {"base": base, "size": SIZE, "crops": 2, "flips": "true"}
    settings = [f"latents.{name}={value}" for name, value in asked.items()]
    (task,) = make_tasks(dataset, ["latents"], settings=settings, resolution=36)
    (name,) = dataset.shards()
    annotate_shard(dataset, name, bind([task], CPU), batch_size=3, threads=1, done=lambda _: None)
    alone = task.annotator.load(CPU)
    for image, row in zip(rows(dataset), rows(dataset, "latents"), strict=True):
        stored: Moments = decode("latents", row["condition"])
        picture = fit(Stored(image["image"]["bytes"]).image, 36)
        (again,) = alone(picture[None], [row["parameters"]])
        assert row["status"] == "ok"
        assert stored.shape == (row["height"], row["width"]) == picture.shape[:2]
        assert stored.views == again.views
        assert np.allclose(stored.values, again.values, rtol=1e-3, atol=1e-5)
        assert row["stats"]["latent_std"] == pytest.approx(stored.values[:, 0].astype(np.float32).std())


@pytest.mark.parametrize("resolution", [32, 47, 300, 0])
def test_the_pixels_encoded_are_those_of_live_encoding_bit_for_bit(base: Path, resolution: int) -> None:
    annotator = latents(base, crops=3, flips=True)
    drawn = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures((47, 333), (301, 302), (200, 99))]
    for data in [*drawn, *(path.read_bytes() for path in PHOTOS)]:
        seen = fit(Stored(data).image, resolution)
        for view in views_of(seen.shape[:2], annotator, annotator.draw("key:latents")):
            live = to_pixels(Square(seen.shape[:2], view, SIZE).of_picture(decode_image(data)))
            assert torch.equal(scaled(torch.from_numpy(cut(seen, view, SIZE).copy()[None]))[0], live)


def test_every_level_becomes_the_same_float_as_in_training() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = np.stack([levels, levels.T, levels[::-1]], axis=-1)
    assert torch.equal(scaled(torch.from_numpy(image[None]))[0], to_pixels(image))


def test_one_view_is_the_centre_and_several_are_drawn_from_the_row(base: Path) -> None:
    one, several = latents(base), latents(base, crops=4, flips=True)
    assert views_of((33, 50), one, one.draw("key:latents")) == (View(1, 9),)
    drawn = [views_of((64, 96), several, several.draw(f"{key}:latents")) for key in ("a", "a", "b")]
    assert drawn[0] == drawn[1] != drawn[2]
    corners = [(view.top, view.left) for view in drawn[0]]
    assert corners[::2] == corners[1::2], "each crop, then its mirror image"
    assert [view.flip for view in drawn[0]] == [False, True] * 4
    assert len(set(corners)) == 4
    assert all(0 <= view.top <= 32 and 0 <= view.left <= 64 for views in drawn for view in views)


def test_a_mirrored_view_is_encoded_by_itself(base: Path) -> None:
    (image,) = pictures((SIZE, SIZE))
    (made,) = latents(base, flips=True).load(CPU)(image[None], [{"crop_seed": 0}])
    (mirrored,) = latents(base).load(CPU)(image[None, :, ::-1].copy(), [{"crop_seed": 0}])
    assert np.array_equal(made.values[1], mirrored.values[0])
    assert not np.allclose(made.values[1], made.values[0][..., ::-1], rtol=1e-3, atol=1e-3)


def test_another_autoencoder_is_another_family(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base / "vae", tmp_path / "same/vae")
    shutil.copytree(base / "vae", tmp_path / "other/vae")
    file = tmp_path / "other/vae/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    save_file({**weights, "encoder.conv_in.bias": weights["encoder.conv_in.bias"] + 1}, file)
    first, same, other = (
        make_card(latents(folder), "latents", made_from={}, resolution=36).identity["weights"]
        for folder in (base, tmp_path / "same", tmp_path / "other")
    )
    assert first == same != other


def test_half_precision_variants_beside_the_weights_change_nothing(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base / "vae", tmp_path / "vae")
    card = make_card(latents(tmp_path), "latents", made_from={}, resolution=36)
    (tmp_path / "vae/diffusion_pytorch_model.fp16.safetensors").write_bytes(b"of another precision")
    assert make_card(latents(tmp_path), "latents", made_from={}, resolution=36).fingerprint == card.fingerprint


def test_bf16_stays_near_fp32(base: Path) -> None:
    (image,) = pictures((SIZE, SIZE))
    exact, rounded = (latents(base, precision=way).load(CPU)(image[None], [{}])[0].values for way in ("fp32", "bf16"))
    off = exact[:, 0].astype(np.float32) - rounded[:, 0].astype(np.float32)
    assert 0 < np.sqrt(np.mean(off**2)) < 0.05 * exact[:, 0].astype(np.float32).std()
    assert not torch.equal(torch.from_numpy(rounded), torch.from_numpy(rounded).bfloat16().half()), "a head in float32"


def test_settings_that_cannot_be_are_refused_with_the_way_out(base: Path, ingest: Callable[..., Dataset]) -> None:
    with pytest.raises(ValueError, match=r"Say --set FAMILY\.size=24, or --resolution 32"):
        make_tasks(
            ingest("playroom:1"), ["latents"], settings=[f"latents.base={base}", "latents.size=32"], resolution=24
        )
    with pytest.raises(ValueError, match=r"33 is not a multiple of 8.*Take 32"):
        latents(base, size=33).load(CPU)
    with pytest.raises(ValueError, match=r"crops: .* greater than or equal to 1"):
        latents(base, crops=0)
    with pytest.raises(ValueError, match="a square of 32 pixels does not fit into 52 x 20"):
        latents(base).load(CPU)(np.zeros((1, 20, 52, 3), np.uint8), [{"crop_seed": 0}])


def test_latents_that_float16_cannot_hold_are_a_fault_of_the_row() -> None:
    for wrong in (np.nan, np.inf):
        values = np.ones((1, 2, 4, 4, 4), np.float16)
        values[0, 0, 1, 2, 3] = wrong
        with pytest.raises(ValueError, match="NaN, or beyond what float16 can hold"):
            encode("latents", Moments((32, 40), (View(0, 0),), values))


def test_moments_come_back_exactly() -> None:
    views = (View(3, 0), View(1, 7, flip=True))
    values = rng.standard_normal((2, 2, 4, 5, 5)).astype(np.float16)
    back: Moments = decode("latents", encode("latents", Moments((60, 47), views, values)))
    assert (back.shape, back.views) == ((60, 47), views)
    assert np.array_equal(back.values, values)
