from functools import partial

import datasets
import pytest
import torch

from manifests.control import ControlSettings
from train.base import load_base, tokenize
from train.batches import Batch, Recipe, Span, loader
from train.control.registry import build_control
from train.fit import Engine, assemble, fit, losses
from train.hints import HINTS
from train.processes import join


def engine_of(base_folder: str, *, learning_rate: float = 1e-3) -> Engine:
    base = load_base(base_folder)
    return assemble(join("no"), base, build_control(base.unet, ControlSettings(), seed=0), learning_rate=learning_rate)


def batches_of(engine: Engine, table: datasets.Dataset, span: Span) -> list[Batch]:
    recipe = Recipe(
        kinds=("binary",),
        drawings=(HINTS["binary"],),
        resolution=32,
        latent_shape=engine.base.latent_shape(32),
        tokenize=partial(tokenize, engine.base.tokenizer),
        timesteps=1000,
        prompt_drop=0.5,
        seed=0,
    )
    return list(loader(table, recipe, span, workers=0))


def run(engine: Engine, table: datasets.Dataset, span: Span) -> list[float]:
    return [step.loss for step in fit(engine, iter(batches_of(engine, table, span)), span)]


@pytest.mark.parametrize("micro_batch", [1, 2, 3])
def test_micro_batches_add_up_to_the_whole_batch(base_folder: str, table: datasets.Dataset, micro_batch: int) -> None:
    whole, parts = engine_of(str(base_folder)), engine_of(str(base_folder))
    expected = run(whole, table, Span(start=0, steps=3, batch_size=4, micro_batch=4))
    found = run(parts, table, Span(start=0, steps=3, batch_size=4, micro_batch=micro_batch))
    assert found == pytest.approx(expected, rel=1e-5)


def test_training_brings_the_loss_down_and_leaves_the_locked_copy_as_it_was(
    base_folder: str, table: datasets.Dataset
) -> None:
    engine = engine_of(str(base_folder))
    before = {name: value.clone() for name, value in engine.base.unet.state_dict().items()}
    batch = batches_of(engine, table, Span(start=0, steps=1, batch_size=8, micro_batch=8))[0]
    first = float(losses(engine, batch).mean().detach())
    steps = list(fit(engine, iter([batch] * 20), Span(start=0, steps=20, batch_size=8, micro_batch=8)))
    assert [step.number for step in steps] == list(range(1, 21))
    assert steps[0].loss == pytest.approx(first)
    assert float(losses(engine, batch).mean().detach()) < first
    assert all(torch.equal(value, before[name]) for name, value in engine.base.unet.state_dict().items())


def test_half_precision_without_a_gpu_is_refused_with_the_way_out() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ValueError, match="Take bf16"):
        join("fp16")
