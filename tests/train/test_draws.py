import torch

from train.draws import choices, normal, row_at


def test_a_sample_draws_the_same_again_and_something_else_in_the_next_epoch() -> None:
    assert choices(1, "abc", 0) == choices(1, "abc", 0)
    assert choices(1, "abc", 0) != choices(1, "abc", 1)
    assert choices(1, "abc", 0) != choices(2, "abc", 0)


def test_each_purpose_has_noise_of_its_own() -> None:
    noise = normal(0, "abc", 0, purpose="noise", shape=(4, 32, 32))
    posterior = normal(0, "abc", 0, purpose="posterior", shape=(4, 32, 32))
    assert noise.dtype == torch.float32
    assert abs(float(noise.mean())) < 0.1
    assert abs(float(noise.std()) - 1) < 0.1
    assert not torch.equal(noise, posterior)


def test_an_epoch_shows_every_row_once_and_the_next_one_in_another_order() -> None:
    first, second = ([row_at(number, rows=50, seed=0) for number in range(start, start + 50)] for start in (0, 50))
    assert sorted(row for row, _ in first) == list(range(50))
    assert sorted(row for row, _ in second) == list(range(50))
    assert {epoch for _, epoch in first} == {0}
    assert {epoch for _, epoch in second} == {1}
    assert [row for row, _ in first] != [row for row, _ in second]
