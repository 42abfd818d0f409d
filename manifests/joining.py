"""Which frozen cluster the rows of a new part join: that of the older rows they are near to."""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.hamming import Hashes
from manifests.near import DISTANCE, cluster, distinct, near_values

EXCLUDED = "excluded"  # the split of rows that are near to rows of two: neither may have them


class Rows(NamedTuple):
    """Hashes [N, K] and numbers of the pictures [N]."""

    hashes: Hashes
    pictures: Hashes


class Joined(NamedTuple):
    """Clusters of the new rows [N]; their splits, null where the row's cluster is new and its split to be drawn."""

    clusters: Hashes
    splits: pa.Array


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
    least = np.full(labels.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, labels, new.pictures[fresh])
    given: NDArray[np.object_] = np.full(len(least), None, object)
    for label, cluster_id, split, several in _touched(new.hashes[fresh], labels, old.hashes, clusters, splits):
        given[label] = EXCLUDED if several else split
        least[label] = least[label] if several else cluster_id
    ids[fresh], taken[fresh] = least[labels], given[labels]
    return Joined(ids, pa.array(taken, pa.string()))


def _touched(
    new: Hashes, labels: NDArray[np.int64], old: Hashes, clusters: Hashes, splits: pa.Array
) -> list[tuple[int, int, str, bool]]:
    """Of each label near to older rows: itself, their least cluster, a split of theirs, and whether there are two."""
    if not len(new) or not len(old):
        return []
    ours, theirs = distinct(new)[0], distinct(old)[0]
    values, shared = distinct(np.concatenate([ours, theirs]))
    first, second = near_values(values, DISTANCE)
    pairs = pa.table(
        {"ours": np.concatenate([shared, first, second]), "theirs": np.concatenate([shared, second, first])}
    )
    wanted = np.unique(pairs["ours"].to_numpy())
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        connection.register("pairs", pairs)
        connection.register("new", _long(new, wanted, {"label": labels}))
        connection.register("old", _long(old, wanted, {"cluster": clusters, "split": splits}))
        return connection.execute(
            "SELECT label, min(cluster), min(split), min(split) <> max(split) "
            "FROM pairs JOIN new ON new.value = ours JOIN old ON old.value = theirs GROUP BY label ORDER BY label"
        ).fetchall()


def _long(hashes: Hashes, wanted: Hashes, columns: dict[str, NDArray[np.generic] | pa.Array]) -> pa.Table:
    """Every hash that is wanted with what its row says, a line each."""
    lines = []
    for column in hashes.T:
        rows = pa.array(np.flatnonzero(np.isin(column, wanted)))
        said = {name: pa.array(values).take(rows) for name, values in columns.items()}
        lines.append(pa.table({"value": pa.array(column).take(rows), **said}))
    return pa.concat_tables(lines)
