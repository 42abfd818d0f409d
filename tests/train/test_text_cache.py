from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from train.base import Base, encode_tokens, tokenize
from train.text import Text
from train.text_cache import TextCache

CPU = torch.device("cpu")
PLENTY = 1 << 30


def tokens_of(base: Base, *captions: str) -> Tensor:
    return torch.stack([tokenize(base.tokenizers, caption) for caption in captions])


def cache_of(base: Base, *, limit_bytes: int = PLENTY) -> TextCache:
    return TextCache(base, resolution=32, limit_bytes=limit_bytes)


def bytes_of_one(base: Base) -> int:
    return encode_tokens(base, tokens_of(base, ""), resolution=32).nbytes


def same(one: Text, other: Text) -> bool:
    return all(
        left is right is None or (left is not None and right is not None and torch.equal(left, right))
        for left, right in zip(one, other, strict=True)
    )


@contextmanager
def counted(base: Base) -> Iterator[list[int]]:
    """How many captions the text encoder is given, a number for each of its forward passes."""
    passes: list[int] = []
    hook = base.text_encoder.register_forward_pre_hook(lambda _module, given: passes.append(len(given[0])))
    yield passes
    hook.remove()


@pytest.fixture(params=["base", "xl_base"])
def any_base(request: pytest.FixtureRequest) -> Base:
    found: Base = request.getfixturevalue(request.param)
    return found


def test_encodings_are_those_of_the_text_encoders(any_base: Base) -> None:
    tokens = tokens_of(any_base, "red ball", "blue box", "")
    found, expected = cache_of(any_base).encode(tokens, CPU), encode_tokens(any_base, tokens, resolution=32)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            torch.testing.assert_close(ours, theirs)


def test_what_is_kept_changes_no_bit_of_a_result(any_base: Base) -> None:
    wanted = tokens_of(any_base, "red ball", "", "blue box", "", "red ball")
    filled = cache_of(any_base)
    filled.encode(tokens_of(any_base, "blue box", "green cone", ""), CPU)
    fresh, empty = cache_of(any_base), cache_of(any_base, limit_bytes=0)
    first = fresh.encode(wanted, CPU)
    assert same(filled.encode(wanted, CPU), first)
    assert same(empty.encode(wanted, CPU), first)
    assert same(fresh.encode(wanted, CPU), first)
    alone = [cache_of(any_base).encode(row[None], CPU).states for row in wanted]
    assert torch.equal(torch.cat(alone), first.states)


def test_each_caption_is_encoded_once(any_base: Base) -> None:
    cache = cache_of(any_base)
    with counted(any_base) as passes:
        cache.encode(tokens_of(any_base, "red ball", "", "red ball", ""), CPU)
        cache.encode(tokens_of(any_base, "", "blue box", "red ball"), CPU)
    assert passes == [1, 1, 1]


def test_captions_that_differ_for_one_tokenizer_alone_are_kept_apart(xl_base: Base) -> None:
    one = tokens_of(xl_base, "red ball")
    other = one.clone()
    other[0, 1, 2] += 1
    cache = cache_of(xl_base)
    assert not torch.equal(cache.encode(one, CPU).states, cache.encode(other, CPU).states)


def test_no_more_is_kept_than_the_limit_and_the_caption_used_last_stays(base: Base) -> None:
    size = bytes_of_one(base)
    cache = cache_of(base, limit_bytes=2 * size + size // 2)
    cache.encode(tokens_of(base, "one", "two"), CPU)
    assert cache.nbytes == 2 * size
    cache.encode(tokens_of(base, "one", "three"), CPU)  # forgets "two"
    assert cache.nbytes == 2 * size
    with counted(base) as passes:
        cache.encode(tokens_of(base, "one", "three"), CPU)
        assert passes == []
        cache.encode(tokens_of(base, "two"), CPU)
    assert passes == [1]


def test_a_batch_larger_than_the_limit_is_encoded_whole(base: Base) -> None:
    cache = cache_of(base, limit_bytes=bytes_of_one(base))
    tokens = tokens_of(base, "one", "two", "three")
    assert same(cache.encode(tokens, CPU), cache_of(base).encode(tokens, CPU))
    assert cache.nbytes == bytes_of_one(base)
