"""Which rows an audit reads: drawn from a few row groups of many shards, the same ones for the same seed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.layout import ROW_GROUP
from manifests.parallel import in_parallel
from manifests.row_groups import read_rows

Record = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """Rows of a dataset.

    Attributes:
        places: [N] int64, of the rows in the index, sorted.
        where: of each row, its shard and its place there.
        clusters: of each row, which tell rows of one picture.
    """

    places: NDArray[np.int64]
    where: tuple[tuple[str, int], ...]
    clusters: tuple[str, ...]


def draw(index: pa.Table, *, rows: int, seed: int, each: int) -> Sample:
    """Draw rows that were not taken down.

    Args:
        index: of the rows; columns shard, row and removed.
        each: how many of a row group; more where the row groups are few. With the same seed the groups are those of
            every other `each`, in the same order.
    """
    alive = np.flatnonzero(~index["removed"].to_numpy(zero_copy_only=False))
    numbers = _groups(index)[alive]
    by_group = alive[np.argsort(numbers, kind="stable")]
    groups, starts = np.unique(np.sort(numbers), return_index=True)
    ends = np.append(starts[1:], len(alive))
    each = max(each, -(-rows // max(len(groups), 1)))
    found: list[int] = []
    for turn in sorted(range(len(groups)), key=lambda turn: _salted(seed, int(groups[turn]))):
        inside = sorted(by_group[starts[turn] : ends[turn]].tolist(), key=lambda place: _salted(seed, place))
        found += inside[: min(each, rows - len(found))]
        if len(found) >= rows:
            break
    return at(index, sorted(found))


def _groups(index: pa.Table) -> NDArray[np.int64]:
    """A number for the row group of each row: [N]."""
    names, rows = index["shard"].unify_dictionaries(), index["row"].to_numpy()
    shards = [chunk.indices.to_numpy() for chunk in names.chunks]
    return (np.concatenate([np.zeros(0, np.int64), *shards]).astype(np.int64) << 32) | (rows // ROW_GROUP)


def at(index: pa.Table, places: Sequence[int]) -> Sample:
    """The rows at these places of the index."""
    chosen = index.select(["shard", "row", "cluster"]).take(pa.array(places, pa.int64()))
    where = tuple(zip(chosen["shard"].to_pylist(), chosen["row"].to_pylist(), strict=True))
    return Sample(np.array(places, np.int64), where, tuple(chosen["cluster"].to_pylist()))


def read(dataset: Dataset, family: str, sample: Sample, columns: Sequence[str]) -> list[Record | None]:
    """Rows of a family, in the order of the sample; None where their shard is missing or shorter."""
    by_shard = defaultdict(list)
    for place, (shard, row) in enumerate(sample.where):
        by_shard[shard].append((place, row))
    present = set(dataset.shards(family))
    found: list[Record | None] = [None] * len(sample.where)

    def rows_of(shard: str) -> list[tuple[int, Record]]:
        wanted = by_shard[shard]
        there = dataset.rows(family, [shard])
        wanted = [(place, row) for place, row in wanted if row < there]
        numbers = np.array([row for _, row in wanted], np.int32)
        table = read_rows(dataset.path(family, shard), columns, numbers) if wanted else None
        return list(zip([place for place, _ in wanted], table.to_pylist() if table else [], strict=True))

    for of_shard in in_parallel(rows_of, [shard for shard in by_shard if shard in present]):
        for place, record in of_shard:
            found[place] = record
    return found


def _salted(seed: int, number: int) -> bytes:
    return sha256(f"audit:{seed}:{number}".encode()).digest()
