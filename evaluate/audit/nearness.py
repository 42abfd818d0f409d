"""Which rows look nearly like a sampled one, among millions, by the perceptual hashes of a family."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotate.corpus import GENERATED
from evaluate.audit.evidence import Evidence

BITS = 4  # of 64 that may differ: as near-duplicates are found at ingest
BLANK = 8  # bits set or unset: pictures of one colour have such hashes, and nothing in common
COLUMN = "phash"


def why_not(evidence: Evidence) -> str:
    """Why near copies can't be sought, or need not; "" if they can."""
    dataset = evidence.dataset
    if all(corpus.partition(":")[0] in GENERATED for corpus in dataset.corpora()):
        return "a generated corpus: its pictures are alike by design, and near copies are not sought"
    if hashes(evidence) is None:
        return f"near copies were not sought: no family holds {COLUMN} of every row"
    return ""


def hashes(evidence: Evidence) -> NDArray[np.int64] | None:
    """The hash of every row, [N]; None where no family has them of all."""
    for family in evidence.families.values():
        if family.index is not None and COLUMN in family.index.column_names:
            column = family.index[COLUMN]
            if not column.null_count and len(column) == len(evidence.index):
                return np.asarray(column.to_numpy(), np.int64)
    return None


def copies(numbers: NDArray[np.int64], asked: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """For each row asked for, [M] places, all places whose hash is nearly its own, itself among them.

    Hashes with next to no bits set, or next to all, are of flat pictures, which are like nothing.
    """
    for place in asked:
        own = numbers[place]
        bits = int(np.bitwise_count(np.uint64(own.view(np.uint64))))
        if bits <= BLANK or bits >= 64 - BLANK:
            yield np.array([place], np.int64)
            continue
        yield np.flatnonzero(np.bitwise_count((numbers ^ own).view(np.uint64)) <= BITS)
