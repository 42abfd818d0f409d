from dataclasses import fields, replace
from functools import partial
from itertools import chain

import datasets
import numpy as np
import pytest
import torch

from train.base import Base, tokenize
from train.batches import Batch, Recipe, Samples, loader, to_pixels
from train.draws import choices
from train.span import Span


@pytest.fixture
def recipe(base: Base) -> Recipe:
    return Recipe(
        kinds=("binary",),
        resolution=32,
        latent_shape=base.latent_shape(32),
        tokenize=partial(tokenize, base.tokenizers),
        timesteps=1000,
        prompt_drop=0.5,
        seed=0,
    )


def test_pixels_cover_minus_one_to_one() -> None:
    assert to_pixels(np.array([[[0, 255, 0]]], np.uint8)).flatten().tolist() == [-1.0, 1.0, -1.0]


def test_every_caption_of_a_picture_is_drawn_in_its_turn(table: datasets.Dataset, recipe: Recipe) -> None:
    told: list[str] = []

    def note(caption: str) -> torch.Tensor:
        told.append(caption)
        return torch.zeros(1, dtype=torch.int64)

    five = table.map(lambda row: {"captions": [f"{row['key']} {number}" for number in range(5)]})
    samples, epochs = Samples(five, replace(recipe, prompt_drop=0.0, tokenize=note)), 30
    for number in range(epochs * len(five)):
        drawn = choices(recipe.seed, five[samples.row(number)]["key"], number // len(five))
        _ = samples[number]
        assert told[-1] == five[samples.row(number)]["captions"][int(drawn.caption * 5)], "(seed, key, epoch) decide"
    for row in five:
        assert {caption for caption in told if caption.startswith(row["key"])} == set(row["captions"])


def test_prompts_are_dropped_anew_in_every_epoch(table: datasets.Dataset, recipe: Recipe, base: Base) -> None:
    empty = tokenize(base.tokenizers, "")
    samples, epochs = Samples(table, recipe), 40
    dropped = np.zeros((epochs, len(table)), bool)
    keys = {key: place for place, key in enumerate(table["key"])}
    for number in range(epochs * len(table)):
        row = samples.row(number)
        dropped[number // len(table), keys[table[row]["key"]]] = torch.equal(samples[number].tokens, empty)
    assert 0.43 < dropped.mean() < 0.57  # 480 draws at 0.5: within three standard errors
    assert not dropped.all(axis=0).any()
    assert dropped.any(axis=0).all()


def test_the_number_of_a_sample_decides_everything_about_it(table: datasets.Dataset, recipe: Recipe) -> None:
    first, again, next_epoch = (Samples(table, recipe)[number] for number in (5, 5, 5 + len(table)))
    drawn = [field.name for field in fields(Batch) if field.name != "moments"]
    assert all(torch.equal(getattr(first, name), getattr(again, name)) for name in drawn)
    assert not torch.equal(first.noise, next_epoch.noise)


def test_another_seed_draws_other_samples(table: datasets.Dataset, recipe: Recipe) -> None:
    first, other = Samples(table, recipe)[0], Samples(table, replace(recipe, seed=1))[0]
    assert not torch.equal(first.noise, other.noise)


@pytest.mark.parametrize(("processes", "micro_batch"), [(1, 8), (2, 4), (4, 2), (2, 3)])
def test_a_step_covers_the_same_samples_however_it_is_shared(processes: int, micro_batch: int) -> None:
    whole = Span(start=3, steps=5, batch_size=8, micro_batch=micro_batch, processes=processes)
    shares = [list(replace(whole, process=process).numbers()) for process in range(processes)]
    assert sorted(chain(*chain(*shares))) == list(range(24, 40))
    assert {len(share) for share in shares} == {2 * whole.micro_batches}


def test_a_batch_that_the_processes_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="Take a multiple of 3"):
        Span(start=0, steps=1, batch_size=8, micro_batch=8, processes=3)


def test_workers_bring_the_batches_in_order(table: datasets.Dataset, recipe: Recipe) -> None:
    span = Span(start=1, steps=4, batch_size=4, micro_batch=2)
    alone, helped = (list(loader(table, recipe, span, workers=workers)) for workers in (0, 2))
    assert len(alone) == len(helped) == 6
    for left, right in zip(alone, helped, strict=True):
        assert torch.equal(left.noise, right.noise)
        assert torch.equal(left.pixels, right.pixels)


def test_a_mirrored_sample_keeps_everything_else_that_was_drawn(table: datasets.Dataset, recipe: Recipe) -> None:
    plain, mirrored = (Samples(table, replace(recipe, flip=rate)) for rate in (0.0, 1.0))
    for number in range(3):
        one, other = plain[number], mirrored[number]
        assert torch.equal(other.pixels, one.pixels.flip(-1))
        assert torch.equal(other.hints, one.hints.flip(-1))
        assert not torch.equal(other.pixels, one.pixels)
        for same in ("tokens", "noise", "timesteps"):
            assert torch.equal(getattr(one, same), getattr(other, same))


def test_about_as_many_samples_are_mirrored_as_were_asked_for(table: datasets.Dataset, recipe: Recipe) -> None:
    plain, some = Samples(table, recipe), Samples(table, replace(recipe, flip=0.3))
    changed = sum(not torch.equal(plain[number].pixels, some[number].pixels) for number in range(200))
    assert 35 <= changed <= 85
