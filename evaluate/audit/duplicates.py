"""Duplicates: how many rows show a picture that another row shows too."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence
from evaluate.audit.nearness import why_not
from evaluate.audit.verdict import Limits, Verdict, share_verdict, skipped
from manifests.splits.clusters import as_numbers
from manifests.splits.hashes import HASHES, read_hashes
from manifests.splits.near import cluster

COPIES = Limits(warn=0.01, fail=0.05)  # rows beyond the first of each cluster
LARGEST = Limits(warn=0.005, fail=0.02)  # of the rows are one picture: it is what a network learns by heart
FEW, NEVER = 10, Limits(warn=1.0, fail=1.0)  # rows: a smaller cluster says nothing, however small the dataset
SHOWN = 6


def check_duplicates(evidence: Evidence) -> Iterator[Verdict]:
    """Clusters of the index, then of near pictures where those are of equal files alone."""
    kind = evidence.dataset.settings.duplicates
    alive = np.flatnonzero(evidence.alive())
    yield from _of_clusters(
        alive,
        as_numbers(evidence.index["cluster"])[alive],
        kind,
        "a draw takes one row of each, so that fewer are left than it seems. Several captions of one picture "
        "belong into one row: a list",
    )
    if kind == "near":
        return
    if why := why_not(evidence.dataset):
        yield skipped("duplicates", "", why, f"annotate.py {evidence.dataset.root} {HASHES}")
        return
    hashes = read_hashes(evidence.dataset, evidence.dataset.planned())[alive]
    yield from _of_clusters(
        alive,
        cluster(hashes, as_numbers(evidence.index["picture"])[alive]).labels,
        "near",
        "ingest with `duplicates: near`, so that a draw takes one of them and a split all",
    )


def _of_clusters(
    alive: NDArray[np.int64], labels: NDArray[np.uint64] | NDArray[np.int64], kind: str, remedy: str
) -> Iterator[Verdict]:
    """How many rows are behind another one, and how large the largest cluster is.

    Args:
        alive: [N], places of rows that were not taken down.
        labels: [N], equal where rows share a cluster.
    """
    _, first, inverse, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    excess, largest = len(alive) - len(first), int(counts.max(initial=0))
    of, order = len(alive), np.flatnonzero(counts[inverse] > 1)
    worst = tuple(alive[order[np.argsort(-counts[inverse][order], kind="stable")][:SHOWN]].tolist())
    found = f"{excess} of {of} rows are in {int((counts > 1).sum())} clusters ({kind}) behind another one"
    yield share_verdict("duplicates", "", bad=excess, of=of, found=found, remedy=remedy, places=worst, limits=COPIES)
    yield share_verdict(
        "duplicates",
        "",
        bad=largest,
        of=of,
        found=f"the largest cluster ({kind}) has {largest} rows",
        remedy="look at it: a placeholder, or a picture that was crawled again and again",
        places=worst,
        limits=LARGEST if largest >= FEW else NEVER,
    )
