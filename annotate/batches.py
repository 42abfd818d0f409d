"""Batches within a shard: rows of equal shape, formed in row order, so that the same shard makes the same batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.rows import Fault

Array = NDArray[np.uint8]
WAITING = 256  # rows that may wait for company of their own shape; then all go, however few
MEMORY = 1 << 30  # bytes of them that may wait


@dataclass(frozen=True)
class Inputs:
    """What one row's annotators read: by source ("image" or a family), an array or why there is none."""

    row: int
    arrays: dict[str, Array] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Rows of equal shape may share a batch; a row that lacks something goes with its like."""
        return tuple((name, array.shape) for name, array in self.arrays.items()) + tuple(self.faults)

    @property
    def nbytes(self) -> int:
        """Memory of all of it."""
        return sum(array.nbytes for array in self.arrays.values())


def bucketed(rows: Iterable[Inputs], size: int) -> Iterator[list[Inputs]]:
    """Batches of at most `size` rows of one shape."""
    buckets: dict[tuple[Any, ...], list[Inputs]] = {}
    waiting, held = 0, 0
    for row in rows:
        bucket = buckets.setdefault(row.shape, [])
        bucket.append(row)
        waiting, held = waiting + 1, held + row.nbytes
        if len(bucket) == size:
            waiting, held = waiting - size, held - sum(one.nbytes for one in bucket)
            yield buckets.pop(row.shape)
        elif waiting >= WAITING or held >= MEMORY:
            waiting, held = 0, 0
            yield from buckets.values()
            buckets = {}
    yield from buckets.values()
