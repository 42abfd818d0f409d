import numpy as np
import pytest

from annotate.batches import Inputs, bucketed
from annotate.image import encode_generated
from annotate.stored import Stored


def test_rows_that_fill_the_memory_wait_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is decoded once for all that read it, at its full size, and so lies with its row while that waits."""
    rows = []
    for row in range(7):
        stored = Stored(encode_generated(np.zeros((64, 64 + row, 3), np.uint8)))  # no two of one shape
        rows.append(Inputs(row, {"image": stored.image[:32], "stored": stored}))
    assert rows[0].nbytes > 1.5 * 64 * 64 * 3
    monkeypatch.setattr("annotate.batches.MEMORY", 2.5 * rows[0].nbytes)
    left = [[one.row for one in batch] for batch in bucketed(rows, 8)]
    assert left == [[row] for row in range(7)]
    taken, at_once = 0, []

    def counted() -> object:
        nonlocal taken
        for row in rows:
            taken += 1
            yield row

    for number, _ in enumerate(bucketed(counted(), 8)):
        at_once.append(taken - number)
    assert at_once == [3, 2, 1, 3, 2, 1, 1]
