"""Duplicates: how many rows show a picture that another row shows too."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence
from evaluate.audit.nearness import COLUMN, copies, hashes, why_not
from evaluate.audit.verdict import Limits, Verdict, skipped

COPIES = Limits(warn=0.01, fail=0.05)  # rows beyond the first of each cluster
LARGEST = Limits(warn=0.005, fail=0.02)  # of the rows are one picture: it is what a network learns by heart
FEW = 10  # rows: a smaller cluster says nothing, however small the dataset
ASKED = 1_000  # rows whose near copies are sought among all
SHOWN = 6


def check_duplicates(evidence: Evidence) -> Iterator[Verdict]:
    """Clusters of the index, then near copies by hash where clusters are of equal files alone."""
    alive = np.flatnonzero(evidence.alive())
    numbers = cluster_numbers(evidence)[alive]
    _, first, inverse, counts = np.unique(numbers, return_index=True, return_inverse=True, return_counts=True)
    excess = len(alive) - len(first)
    order = np.flatnonzero(counts[inverse] > 1)
    worst = order[np.argsort(-counts[inverse][order], kind="stable")][:SHOWN]
    kind = evidence.dataset.settings.duplicates
    yield _verdict(
        "duplicates",
        excess,
        len(alive),
        f"{excess} of {len(alive)} rows are in {int((counts > 1).sum())} clusters ({kind}) behind another one",
        "a draw takes one row of each, so that fewer are left than it seems. Several captions of one picture "
        "belong into one row: a list",
        tuple(int(alive[place]) for place in worst),
    )
    largest = int(counts.max(initial=0))
    state = LARGEST.judge(largest / max(len(alive), 1)) if largest >= FEW else "pass"
    yield Verdict(
        "duplicates",
        "",
        state,
        f"the largest cluster has {largest} rows",
        largest / max(len(alive), 1),
        "share of rows",
        str(LARGEST),
        "look at it: a placeholder, or a picture that was crawled again and again" if state != "pass" else "",
        tuple(int(alive[place]) for place in worst) if state != "pass" else (),
    )
    if kind == "exact":
        yield _near(evidence, alive)


def cluster_numbers(evidence: Evidence) -> NDArray[np.int64]:
    """A number for the cluster of each row: [N]."""
    encoded = evidence.index["cluster"].combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(), np.int64)


def _near(evidence: Evidence, alive: NDArray[np.int64]) -> Verdict:
    """Near copies of some rows among all: a share that holds for all rows."""
    if why := why_not(evidence):
        return skipped("duplicates", "", why, f"annotate.py {evidence.dataset.root} {COLUMN}")
    found = hashes(evidence)
    assert found is not None
    asked = np.sort(np.random.default_rng(evidence.seed).permutation(alive)[:ASKED])
    clusters, living = cluster_numbers(evidence), evidence.alive()
    bad: list[int] = []
    for place, like in zip(asked.tolist(), copies(found, asked), strict=True):
        if (living[like] & (clusters[like] != clusters[place])).any():
            bad.append(place)
    return _verdict(
        "duplicates",
        len(bad),
        len(asked),
        f"{len(bad)} of {len(asked)} rows have a near copy that is no equal file",
        "ingest with `duplicates: near`, so that a draw takes one of them and a split all",
        tuple(bad[:SHOWN]),
    )


def _verdict(check: str, bad: int, of: int, found: str, remedy: str, places: tuple[int, ...]) -> Verdict:
    share = bad / of if of else 0.0
    state = COPIES.judge(share)
    said, shown = (remedy, places) if state != "pass" else ("", ())
    return Verdict(check, "", state, found, share, "share of rows", str(COPIES), said, shown)
