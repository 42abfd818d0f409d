"""Captions are exchanged so that nobody has its own, whoever else says the same."""

import pytest

from annotate.planted.exchanged import exchange


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_every_row_gets_one_caption_and_nobody_its_own(count: int) -> None:
    rows = [10 * number for number in range(count)]
    giver = exchange(rows, {row: {f"caption {row}"} for row in rows})
    assert sorted(giver) == sorted(giver.values()) == rows
    assert all(row != other for row, other in giver.items())


def test_rows_that_say_the_same_do_not_exchange_it() -> None:
    captions = {row: {text} for row, text in enumerate(["cat", "cat", "dog", "cat", "cow", "hen"])}
    giver = exchange(range(6), captions)
    assert sorted(giver.values()) == list(range(6))
    assert all(captions[row] != captions[other] for row, other in giver.items())


def test_the_last_of_one_caption_goes_between_a_pair_of_others() -> None:
    captions = {row: {text} for row, text in enumerate(["dog", "cow", "hen", "ant", "cat", "cat"])}
    giver = exchange(range(6), captions)
    assert sorted(giver.values()) == list(range(6))
    assert all(captions[row] != captions[other] for row, other in giver.items())


def test_pairs_of_fewer_rows_are_pairs_of_more() -> None:
    captions = {row: {f"caption {row}"} for row in range(10)}
    assert exchange(range(4), captions).items() <= exchange(range(10), captions).items()


def test_rows_of_which_most_say_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="too few others"):
        exchange(range(3), {0: {"cat"}, 1: {"cat"}, 2: {"dog"}})
