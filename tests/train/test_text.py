import torch

from train.text import Text, joined


def text(rows: int) -> Text:
    generator = torch.Generator().manual_seed(rows)
    states, pooled, sizes = (torch.randn(shape, generator=generator) for shape in ((rows, 5, 3), (rows, 4), (rows, 6)))
    return Text(states, pooled, sizes)


def same(one: Text, other: Text) -> bool:
    return all(torch.equal(left, right) for left, right in zip(one, other, strict=True))


def test_captions_taken_apart_and_joined_are_the_same_again() -> None:
    assert same(joined(text(3).rows()), text(3))
    assert joined(Text(text(3).states).rows()).pooled is None


def test_a_caption_taken_out_of_a_batch_keeps_no_other_in_memory() -> None:
    row = text(3).rows()[1]
    assert row.nbytes == sum(part.untyped_storage().nbytes() for part in row) == 4 * (5 * 3 + 4 + 6)


def test_what_stands_beside_captions_comes_after_them() -> None:
    both = text(1).beside(text(2))
    assert torch.equal(both.states, torch.cat([text(1).states, text(2).states]))


def test_a_silent_caption_is_zeros_of_the_same_sizes() -> None:
    silent = text(2).silent()
    assert silent.pooled is not None
    assert not silent.states.any()
    assert not silent.pooled.any()
    assert torch.equal(silent.sizes, text(2).sizes)
