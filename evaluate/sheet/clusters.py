"""The largest clusters of duplicates in a dataset: which rows they hold, and how their captions differ."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.selection import Selection
from evaluate.sheet.rows import Row

CLUSTERS = 6  # shown, the largest first
MEMBERS = 8  # shown of each
ALIKE = 0.5  # share of its words that a caption has in common with the first, from which on differences are marked
Piece = tuple[str, bool]  # of a caption, and whether the first one has it otherwise


@dataclass(frozen=True)
class Cluster:
    """Rows of one picture, or of pictures nearly alike.

    Attributes:
        size: rows that are meant; `places` are the first of them.
        best: of the places, that of the row which stands for the cluster; None if it is not shown.
    """

    name: str
    size: int
    places: tuple[int, ...]
    best: int | None


@dataclass(frozen=True)
class Clusters:
    """What a dataset has of duplicates: how many clusters of several rows, how many rows in them, and the largest."""

    count: int
    rows: int
    largest: tuple[Cluster, ...]


def find_clusters(selection: Selection) -> Clusters:
    """Clusters that hold several of the rows that are meant; of equal size the first by name."""
    places = selection.places[_not_alone(selection)]
    names = selection.index["cluster"].take(pa.array(places))
    counts = pa.table({"cluster": names}).group_by("cluster").aggregate([([], "count_all")])
    counts = counts.filter(pc.and_(pc.greater(counts["count_all"], 1), pc.is_valid(counts["cluster"])))
    order = pc.select_k_unstable(counts, CLUSTERS, [("count_all", "descending"), ("cluster", "ascending")])
    largest = []
    for entry in counts.take(order).to_pylist():
        inside = places[pc.fill_null(pc.equal(names, entry["cluster"]), False).to_numpy()]
        largest.append(_cluster(selection, entry["cluster"], inside))
    return Clusters(len(counts), pc.sum(counts["count_all"]).as_py() or 0, tuple(largest))


def differences(captions: list[str]) -> list[tuple[Piece, ...]]:
    """Captions in pieces, each with whether the first caption has other words there; of quite another caption one."""
    first = _words(captions[0])
    return [((captions[0], False),), *(_against(first, _words(caption)) for caption in captions[1:])]


def in_words(cluster: Cluster, rows: Mapping[int, Row]) -> str:
    """What is said over a cluster."""
    members = [rows[place] for place in cluster.places]
    captions, splits = {row.caption for row in members}, sorted({row.split for row in members})
    shown = "" if cluster.size == len(members) else f", {len(members)} shown"
    said = "one caption" if len(captions) == 1 else f"{len(captions)} different captions"
    return f"{cluster.size:,} rows{shown}, {said}, {' and '.join(splits)}"


def _cluster(selection: Selection, name: str, inside: NDArray[np.int64]) -> Cluster:
    stands = selection.index["best_of_cluster"].take(pa.array(inside)).to_numpy()
    best = int(inside[stands][0]) if stands.any() else None
    rest = [int(place) for place in inside[: MEMBERS + 1] if place != best]
    places = [*([] if best is None else [best]), *rest][:MEMBERS]
    return Cluster(name, len(inside), tuple(places), best)


def _not_alone(selection: Selection) -> NDArray[np.bool_]:
    """Whether others may be in the cluster of each row that is meant: [M] bool, nearly all False, and never too few."""
    places = pa.array(selection.places)
    return np.asarray(pc.greater(selection.index["cluster_size"].take(places), 1).to_numpy(), dtype=bool)


def _words(caption: str) -> list[str]:
    return re.findall(r"\s+|[^\s]+", caption)


def _against(first: list[str], words: list[str]) -> tuple[Piece, ...]:
    match = SequenceMatcher(None, first, words, autojunk=False)
    if match.ratio() < ALIKE:
        return (("".join(words), False),)
    pieces: list[Piece] = []
    for what, _, _, start, stop in match.get_opcodes():
        text = "".join(words[start:stop])
        inner = text.strip()
        if what == "equal" or not inner:
            pieces.append((text, False))
        else:
            before, _, after = text.partition(inner)
            pieces += [(before, False), (inner, True), (after, False)]
    return tuple(piece for piece in pieces if piece[0])
