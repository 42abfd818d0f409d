"""A search keeps what it found within bounds."""

import numpy as np

from evaluate.browse.held import hold
from evaluate.browse.search import Search
from evaluate.browse.state import DRAW, State
from manifests.dataset import Dataset


def test_what_a_search_keeps_is_bounded_by_bytes(dataset: Dataset) -> None:
    room = 100_000  # bytes: a few results
    search = Search(hold(dataset), room=room)
    for length in range(60):
        state = State(where=f"caption_length > {length}", condition="canny", drawn=True, order=DRAW, seed=length)
        found = search.select(state).places
        assert search.taken <= 3 * room
        assert np.array_equal(search.select(state).places, found)
