"""Clusters of duplicates among selected rows, the largest first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.browse.held import Held
from manifests.index import ROWS

MEMBERS = 8  # of a cluster that are shown in a list of clusters


@dataclass(frozen=True)
class Cluster:
    """Rows that are copies of one another.

    Attributes:
        name: as the column `cluster` has it.
        rows: how many selected rows are of it, of `of` in the dataset.
        places: of the first few of the selected.
    """

    name: str
    rows: int
    of: int
    places: tuple[int, ...]


def clusters_of(held: Held, mask: NDArray[np.bool_], *, page: int, size: int) -> tuple[list[Cluster], int]:
    """One page of the clusters of which two or more rows are selected, and how many clusters there are."""
    numbers = held.clusters
    total = int(numbers.max(initial=-1)) + 1
    counts = np.bincount(numbers[mask], minlength=total)
    several = np.flatnonzero(counts > 1)
    wanted = several[np.argsort(-counts[several], kind="stable")][(page - 1) * size : page * size]
    of = np.bincount(numbers, minlength=total) if len(wanted) else counts
    selected = np.flatnonzero(mask & np.isin(numbers, wanted))
    names = held.tables[ROWS]["cluster"]
    found = []
    for number in wanted.tolist():
        places = selected[numbers[selected] == number][:MEMBERS].tolist()
        found.append(Cluster(names[places[0]].as_py(), int(counts[number]), int(of[number]), tuple(places)))
    return found, len(several)


def copies(held: Held, place: int) -> list[int]:
    """Places of the other rows of a row's cluster."""
    return [of for of in np.flatnonzero(held.clusters == held.clusters[place]).tolist() if of != place]
