from dataclasses import replace

import datasets
import pytest
import torch

from tests.train.engines import engine_of, recipe_of
from train.batches import Samples
from train.engine import Engine
from train.micro_batch import find_micro_batch, fits


class Scarce(torch.nn.Module):
    """A control beside so little memory that forward passes of more samples than `room` run out of it."""

    def __init__(self, control: torch.nn.Module, room: int) -> None:
        super().__init__()
        self.control = control
        self.room = room

    def forward(self, noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if len(noisy) > self.room:
            raise torch.OutOfMemoryError(f"CUDA out of memory. {len(noisy)} samples")
        answer: torch.Tensor = self.control(noisy, *rest)
        return answer


def scarce(engine: Engine, room: int) -> Engine:
    return replace(engine, control=Scarce(engine.control, room))


@pytest.mark.parametrize(("room", "found"), [(100, 12), (11, 6), (5, 3), (1, 1)])
def test_the_largest_half_or_quarter_that_fits_is_found(
    base_folder: str, table: datasets.Dataset, room: int, found: int
) -> None:
    engine = engine_of(str(base_folder))
    sample = Samples(table, recipe_of(engine))[0]
    assert find_micro_batch(scarce(engine, room), sample, share=12) == found


def test_parts_of_a_step_are_tried_beside_the_gradients_of_those_before(
    base_folder: str, table: datasets.Dataset
) -> None:
    engine = engine_of(str(base_folder))
    tried: list[tuple[int, bool]] = []

    class Watched(Scarce):
        def forward(self, noisy: torch.Tensor, *rest: object) -> torch.Tensor:
            tried.append((len(noisy), any(each.grad is not None for each in self.control.parameters())))
            return super().forward(noisy, *rest)

    watched = replace(engine, control=Watched(engine.control, 3))
    find_micro_batch(watched, Samples(table, recipe_of(engine))[0], share=12)
    assert tried == [(12, False), (6, False), (3, False), (3, True)]


def test_the_search_leaves_weights_and_gradients_as_they_were(base_folder: str, table: datasets.Dataset) -> None:
    engine = engine_of(str(base_folder))
    before = [parameter.detach().clone() for parameter in engine.control.parameters()]
    find_micro_batch(engine, Samples(table, recipe_of(engine))[0], share=4)
    after = list(engine.control.parameters())
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in after)


def test_no_room_for_one_sample_is_told_with_the_way_out(base_folder: str, table: datasets.Dataset) -> None:
    engine = engine_of(str(base_folder))
    with pytest.raises(ValueError, match=r"engine\.recompute=all"):
        find_micro_batch(scarce(engine, 0), Samples(table, recipe_of(engine))[0], share=4)


def test_an_error_that_is_not_about_memory_is_not_taken_for_one(base_folder: str, table: datasets.Dataset) -> None:
    engine = engine_of(str(base_folder))
    sample = Samples(table, recipe_of(engine))[0]
    with pytest.raises(RuntimeError, match=r"size|shape"):
        fits(engine, replace(sample, noise=sample.noise[:, :3]), 2)
