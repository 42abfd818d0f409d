import pytest
import torch

from train.average import Average


def walked(average_of: list[torch.nn.Parameter], average: Average, steps: int) -> None:
    for _ in range(steps):
        with torch.no_grad():
            for parameter in average_of:
                parameter.add_(1)
        average.step()


def test_the_average_follows_the_weights_at_the_decay_that_is_reached_so_far() -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    average = Average([weight], decay=0.9)
    walked([weight], average, 40)
    expected = 0.0
    for step in range(1, 41):  # diffusers.training_utils.EMAModel.get_decay: none at the first step
        decay = 0.0 if step == 1 else min(0.9, step / (9 + step))
        expected = decay * expected + (1 - decay) * step
    with average.in_place():
        assert weight.detach().tolist() == pytest.approx([expected] * 3)


def test_the_trained_weights_come_back_to_the_bit() -> None:
    weight = torch.nn.Parameter(torch.rand(5))
    average = Average([weight], decay=0.5)
    walked([weight], average, 3)
    before = weight.detach().clone()
    with average.in_place():
        assert not torch.equal(weight, before)
    assert torch.equal(weight, before)


def test_without_a_decay_nothing_is_averaged() -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    average = Average([weight], decay=None)
    walked([weight], average, 3)
    with average.in_place():
        assert weight.detach().tolist() == [3.0, 3.0, 3.0]
    assert average.state_dict() == {}


def test_a_restored_average_goes_on_where_it_was() -> None:
    whole, first = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2))
    uninterrupted, before = Average([whole], decay=0.9), Average([first], decay=0.9)
    walked([whole], uninterrupted, 12)
    walked([first], before, 5)
    second = torch.nn.Parameter(first.detach().clone())
    after = Average([second], decay=0.9)
    after.load_state_dict(before.state_dict())
    walked([second], after, 7)
    with uninterrupted.in_place(), after.in_place():
        assert torch.equal(whole, second)
