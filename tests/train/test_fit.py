import datasets
import pytest
import torch

from tests.train.engines import engine_of, recipe_of
from train.batches import Batch, loader
from train.engine import Engine
from train.fit import fit, losses
from train.processes import join
from train.span import Span


def batches_of(engine: Engine, table: datasets.Dataset, span: Span) -> list[Batch]:
    return list(loader(table, recipe_of(engine), span, workers=0))


def run(engine: Engine, table: datasets.Dataset, span: Span) -> list[float]:
    return [float(step.loss) for step in fit(engine, iter(batches_of(engine, table, span)), span)]


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
    assert float(steps[0].loss) == pytest.approx(first)
    assert float(losses(engine, batch).mean().detach()) < first
    assert all(torch.equal(value, before[name]) for name, value in engine.base.unet.state_dict().items())


def test_half_precision_without_a_gpu_is_refused_with_the_way_out() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ValueError, match="Take bf16"):
        join("fp16")
