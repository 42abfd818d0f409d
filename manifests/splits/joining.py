"""Which frozen cluster the rows of a new part join: that of the older rows they are near to."""

from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.splits.hamming import Hashes, near_pairs
from manifests.splits.near import DISTANCE, cluster, distinct, places_of

EXCLUDED = "excluded"  # the split of rows that are near to rows of two: neither may have them


class Rows(NamedTuple):
    """Hashes [N, K] and numbers of the pictures [N]."""

    hashes: Hashes
    pictures: Hashes


class Joined(NamedTuple):
    """Clusters of the new rows [N]; their splits, null where the row's cluster is new and its split to be drawn."""

    clusters: Hashes
    splits: pa.Array


class Known(NamedTuple):
    """What is known of N rows, hashes or labels: their least cluster [N], and a bit for each of their splits [N]."""

    clusters: Hashes
    splits: NDArray[np.uint8]


def join(new: Rows, old: Rows, clusters: Hashes, splits: pa.Array) -> Joined:
    """Cluster the new rows, and let each cluster join that of the older rows which one of its rows is near to.

    A picture that older rows have is theirs, whatever else it is near to. A cluster near to several older ones of one
    split joins the one of the least number; near to two splits it stays by itself and is `EXCLUDED`, and so is whatever
    later joins it.

    Args:
        clusters, splits: of the old rows, as they are frozen.
    """
    ids = np.zeros(len(new.pictures), np.uint64)
    taken: NDArray[np.object_] = np.full(len(ids), None, object)
    order = np.argsort(old.pictures, kind="stable")
    where = np.searchsorted(old.pictures, new.pictures, sorter=order)
    where[where == len(order)] = 0
    same = order[where] if len(order) else where
    known = old.pictures[same] == new.pictures if len(order) else np.zeros(len(ids), bool)
    ids[known] = clusters[same[known]]
    taken[known] = np.asarray(splits.take(pa.array(same[known])), object)
    fresh = np.flatnonzero(~known)
    labels = np.unique(cluster(new.hashes[fresh], new.pictures[fresh]).labels, return_inverse=True)[1]
    names = splits.unique()
    bits = np.left_shift(1, pc.index_in(splits, names).to_numpy()).astype(np.uint8)
    near = _near_to(new.hashes[fresh], labels, old.hashes, Known(clusters, bits))
    least = _nothing(len(near.clusters)).clusters
    np.minimum.at(least, labels, new.pictures[fresh])
    given: NDArray[np.object_] = np.full(len(least), None, object)
    given[np.bitwise_count(near.splits) > 1] = EXCLUDED
    for place, name in enumerate(names.to_pylist()):
        given[near.splits == 1 << place] = name
    one = np.bitwise_count(near.splits) == 1
    least[one] = near.clusters[one]
    ids[fresh], taken[fresh] = least[labels], given[labels]
    return Joined(ids, pa.array(taken, pa.string()))


def _near_to(new: Hashes, labels: NDArray[np.int64], old: Hashes, known: Known) -> Known:
    """Of each label what is known of the old rows that one of its rows is near to; pairs are not held."""
    ours, theirs = distinct(new)[0], distinct(old)[0]
    values, shared = distinct(np.concatenate([ours, theirs]))
    have, see, out = (_nothing(count) for count in (len(theirs), len(ours), labels.max(initial=-1) + 1))
    for column in old.T:
        rows, places = places_of(theirs, column)
        _tell(have, places, known, rows)
    for first, second in chain([(shared, shared)], near_pairs(values, DISTANCE)):
        for here, there in ((first, second), (second, first)):
            pairs, mine = places_of(ours, here)
            crossing, other = places_of(theirs, there[pairs])
            _tell(see, mine[crossing], have, other)
    for column in new.T:
        rows, places = places_of(ours, column)
        _tell(out, labels[rows], see, places)
    return out


def _nothing(count: int) -> Known:
    return Known(np.full(count, np.iinfo(np.uint64).max, np.uint64), np.zeros(count, np.uint8))


def _tell(those: Known, places: NDArray[np.int64], known: Known, rows: NDArray[np.int64]) -> None:
    """Let those at `places` know what is known of `rows`."""
    np.minimum.at(those.clusters, places, known.clusters[rows])
    np.bitwise_or.at(those.splits, places, known.splits[rows])
