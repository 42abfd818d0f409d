"""Rows that are held out, of which a near-duplicate is trained or chosen on: by hashes, whatever the splits say."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.dataset import Dataset
from manifests.index import ROWS, indexed_shards, read_index
from manifests.splits.hamming import near_pairs
from manifests.splits.hashes import NONE, read_hashes
from manifests.splits.near import DISTANCE, distinct

SPLITS = ("train", "validation", "test")
HELD_OUT = (("test", "train"), ("validation", "train"), ("test", "validation"))
NAMED = 10  # keys


@dataclass(frozen=True)
class Leak:
    """Rows of `split` that have a near-duplicate in `near_to`: how many, and the keys of the first of them."""

    split: str
    near_to: str
    rows: int
    keys: tuple[str, ...]


def leaks(dataset: Dataset) -> list[Leak]:
    """Which splits leak into which: rows with a hash at most `DISTANCE` bits from one of the other split's.

    Pairs are looked at one by one, not by cluster: of a cut chain too, and of a dataset that was ingested `exact` and
    got its hashes later. Rows taken down count on neither side.

    Raises:
        ValueError: the dataset is not indexed, or has no hashes of all rows.
    """
    index = read_index(dataset, ROWS, ["key", "split", "removed"])
    hashes = read_hashes(dataset, indexed_shards(dataset))
    bit = {split: np.uint8(1 << place) for place, split in enumerate(SPLITS)}
    codes = pc.fill_null(pc.index_in(index["split"], pa.array(SPLITS)), len(SPLITS)).to_numpy()
    of_row = np.array([*bit.values(), 0], np.uint8)[codes]
    of_row[index["removed"].to_numpy()] = 0
    values = distinct(hashes)[0]
    places = [np.searchsorted(values, column) for column in hashes.T]  # beyond the end where there is none
    have = np.zeros(len(values) + 1, np.uint8)
    for place, column in zip(places, hashes.T, strict=True):
        place[column == NONE] = len(values)
        np.bitwise_or.at(have, place, of_row)
    have[-1] = 0
    see = have.copy()
    for first, second in near_pairs(values, DISTANCE):
        one, other = np.searchsorted(values, first), np.searchsorted(values, second)
        np.bitwise_or.at(see, one, have[other])
        np.bitwise_or.at(see, other, have[one])
    seen = np.bitwise_or.reduce([see[place] for place in places], axis=0)
    found = []
    for split, near_to in HELD_OUT:
        rows = np.flatnonzero((of_row == bit[split]) & (seen & bit[near_to] > 0))
        found.append(Leak(split, near_to, len(rows), tuple(index["key"].take(pa.array(rows[:NAMED])).to_pylist())))
    return [leak for leak in found if leak.rows]
