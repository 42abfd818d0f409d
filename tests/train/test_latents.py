"""Latents read from the dataset train as those encoded live do, on the same crops."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch

from annotate.latents import Latents
from annotate.registry import make_card
from manifests.condition import decode, encode
from manifests.family import FamilyCard
from manifests.figures import Moments
from manifests.latents import check_latents
from train.base import Base, encode_images, sample_latents
from train.batches import Batch, Recipe, Samples, decode_image, loader, to_pixels
from train.diffusion import noised, sample_losses, signal_shares
from train.hints import HINTS
from train.span import Span
from train.views import Square

SIDE = 32
OTHER = Path(__file__).parents[2] / "train/tiny_base/model"


def note(caption: str) -> torch.Tensor:
    """Stand for a tokenizer: the words' bytes."""
    return torch.tensor([*caption.encode()[:8], *[0] * 8][:8])


@pytest.fixture(scope="module")
def annotator(base_folder: Path) -> Latents:
    return Latents(base=str(base_folder), size=SIDE, crops=3, flips=True)


@pytest.fixture(scope="module")
def encoded(table: datasets.Dataset, annotator: Latents) -> datasets.Dataset:
    """The training set with latents of three crops, mirrored too; in each third row depth, at half the size."""
    annotate = annotator.load(torch.device("cpu"))
    rng = np.random.default_rng(0)

    def further(row: dict[str, Any], number: int) -> dict[str, Any]:
        image = decode_image(row["image"]["bytes"])
        (made,) = annotate(image[None], [annotator.draw(f"{row['key']}:latents")])
        depth = None if number % 3 else encode("depth", rng.random((20, 24), np.float32) + 1)
        return {"latents": encode("latents", made), "condition:depth": depth}

    rows = [row | further(row, number) for number, row in enumerate(table.to_list())]
    return datasets.Dataset.from_list(rows)


@pytest.fixture
def recipe(base: Base) -> Recipe:
    return Recipe(
        kinds=("binary", "depth"),
        columns=("condition", "condition:depth"),
        resolution=SIDE,
        latent_shape=base.latent_shape(SIDE),
        tokenize=note,
        timesteps=1000,
        prompt_drop=0.5,
        seed=0,
        flip=0.5,
        latents="cached",
    )


def batch_of(table: datasets.Dataset, recipe: Recipe, samples: int) -> Batch:
    (batch,) = loader(table, recipe, Span(start=0, steps=1, batch_size=samples, micro_batch=samples), workers=0)
    return batch


def noisy_loss(base: Base, latents: torch.Tensor, batch: Batch) -> torch.Tensor:
    shares = signal_shares(base.scheduler)[batch.timesteps]
    words = torch.randn(1, 12, base.unet.config.cross_attention_dim, generator=torch.Generator().manual_seed(0))
    mixed = noised(latents, batch.noise, shares)
    with torch.inference_mode():
        answer = base.unet(mixed, batch.timesteps, words.expand(len(mixed), -1, -1)).sample
    return sample_losses(answer, batch.noise)


def test_cached_and_live_latents_give_the_same_loss_on_fixed_pictures_timesteps_and_noise(
    encoded: datasets.Dataset, recipe: Recipe, base: Base
) -> None:
    cached, live = (batch_of(encoded, replace(recipe, latents=way), 64) for way in ("cached", "live"))
    assert cached.pixels is None
    assert live.moments is None
    assert cached.moments is not None
    assert live.pixels is not None
    for name in ("hints", "present", "tokens", "noise", "posterior_noise", "timesteps"):
        assert torch.equal(getattr(cached, name), getattr(live, name)), name
    read = sample_latents(base, cached.moments, cached.posterior_noise)
    made = encode_images(base, live.pixels, live.posterior_noise)
    assert (read - made).abs().max() <= made.abs().max() * 2**-10  # float16 has 11 bits
    one, other = noisy_loss(base, read, cached), noisy_loss(base, made, live)
    assert torch.allclose(one, other, rtol=1e-3)
    elsewhere = noisy_loss(base, read.roll(1, 0), cached)
    assert not torch.allclose(one, elsewhere, rtol=1e-3), "a loss that is blind to latents would prove nothing"


def test_a_sample_of_cached_latents_opens_no_picture(encoded: datasets.Dataset, recipe: Recipe) -> None:
    blind = encoded.remove_columns("image")
    one, other = (Samples(table, recipe)[3] for table in (blind, encoded))
    assert torch.equal(one.moments, other.moments)
    assert one.moments.dtype == torch.float16
    assert one.moments.shape == (2, 4, 4, 4)


def test_hints_lie_where_the_view_of_the_latents_lies(encoded: datasets.Dataset, recipe: Recipe) -> None:
    samples = Samples(encoded, recipe)
    seen = set()
    for number in range(36):
        row, sample = encoded[samples.row(number)], samples[number]
        views: Moments = decode("latents", row["latents"])
        place, *_ = [at for at in range(6) if np.array_equal(views.values[at], sample.moments.numpy())]
        square = Square((40, 48), views.views[place], SIDE)
        hint = HINTS["binary"](square.of_condition("binary", decode("binary", row["condition"])))
        assert torch.equal(sample.hints[0], hint)
        seen.add(place)
    assert seen == set(range(6)), "every view in its turn"


def test_without_latents_the_crop_is_drawn_freely_as_ever(
    table: datasets.Dataset, encoded: datasets.Dataset, recipe: Recipe
) -> None:
    alone = replace(recipe, kinds=("binary",), columns=("condition",), latents="none")
    plain, beside = Samples(table, alone)[5], Samples(encoded, replace(recipe, latents="none"))[5]
    assert plain.moments is None
    assert torch.equal(plain.pixels, beside.pixels)
    assert torch.equal(plain.hints[0], beside.hints[0])


def test_a_condition_that_a_row_lacks_is_black_and_not_present(encoded: datasets.Dataset, recipe: Recipe) -> None:
    samples = Samples(encoded, recipe)
    for number in range(12):
        has = encoded[samples.row(number)]["condition:depth"] is not None
        sample = samples[number]
        assert sample.present.tolist() == [1.0, float(has)]
        assert sample.hints.shape == (2, 3, SIDE, SIDE)
        assert bool(sample.hints[1].any()) == has


def test_conditions_left_out_are_drawn_anew_each_epoch_and_never_all_of_them(
    encoded: datasets.Dataset, recipe: Recipe
) -> None:
    samples, epochs = Samples(encoded, replace(recipe, condition_drop=0.5)), 60
    shown: dict[int, list[tuple[float, ...]]] = {}
    for number in range(epochs * len(encoded)):
        sample = samples[number]
        shown.setdefault(samples.row(number), []).append(tuple(sample.present.tolist()))
        assert all(bool(sample.hints[at].any()) <= bool(sample.present[at]) for at in range(2))
    for row, drawn in shown.items():
        both = encoded[row]["condition:depth"] is not None
        assert set(drawn) == ({(1.0, 1.0), (1.0, 0.0), (0.0, 1.0)} if both else {(1.0, 0.0)})


def test_a_batch_moves_without_what_it_lacks(encoded: datasets.Dataset, recipe: Recipe) -> None:
    moved = batch_of(encoded, recipe, 4).to(torch.device("meta"))
    assert moved.pixels is None
    assert moved.moments is not None
    assert {moved.moments.device.type, moved.hints.device.type} == {"meta"}


def test_pixels_encoded_beforehand_are_those_of_the_live_batch(
    encoded: datasets.Dataset, recipe: Recipe, annotator: Latents
) -> None:
    live = Samples(encoded, replace(recipe, latents="live"))
    for number in range(6):
        row = encoded[live.row(number)]
        views: Moments = decode("latents", row["latents"])
        squares = [Square(views.shape, view, SIDE) for view in views.views]
        pictures = [to_pixels(square.of_picture(decode_image(row["image"]["bytes"]))) for square in squares]
        assert any(torch.equal(live[number].pixels, picture) for picture in pictures)


def test_latents_of_another_base_resolution_or_kind_are_refused(
    annotator: Latents, base_folder: Path, tmp_path: Path
) -> None:
    card = make_card(annotator, "latents", made_from={}, resolution=40)
    check_latents(card, base=str(base_folder), resolution=SIDE, flip=0.5)
    with pytest.raises(ValueError, match="resolution: 64, but the views of latents have 32 pixels"):
        check_latents(card, base=str(base_folder), resolution=64, flip=0.0)
    with pytest.raises(ValueError, match=r"autoencoder of .*, which is not that of .*model"):
        check_latents(card, base=str(OTHER), resolution=SIDE, flip=0.0)
    with pytest.raises(ValueError, match="which is not that of"):
        check_latents(card, base=str(tmp_path), resolution=SIDE, flip=0.0)
    plain = make_card(replace(annotator, flips=False), "latents", made_from={}, resolution=40)
    with pytest.raises(ValueError, match=r"has no mirrored views.*flips=true"):
        check_latents(plain, base=str(base_folder), resolution=SIDE, flip=0.5)
    with pytest.raises(ValueError, match="canny holds binary"):
        check_latents(
            FamilyCard(family="canny", annotator="canny", version=1, kind="binary"),
            base=str(base_folder),
            resolution=SIDE,
            flip=0.0,
        )
