"""Test samples that a run was trained on: by their very file, or by a near copy of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.leaks.base_rate import BaseRate, base_rate
from evaluate.leaks.nearest import within
from evaluate.leaks.rate import Rate
from evaluate.leaks.trained import Trained
from manifests.splits.clusters import as_numbers
from manifests.splits.hamming import Hashes
from manifests.splits.hashes import HASHES, NONE
from manifests.splits.near import DISTANCE

EQUAL = -1  # bits: the same file


@dataclass(frozen=True)
class Leak:
    """A test sample and the row trained on that is nearest to it.

    Attributes:
        key: of the sample.
        row: place in the dataset's index.
        bits: between their hashes; `EQUAL` of the same file.
    """

    key: str
    row: int
    bits: int


@dataclass(frozen=True)
class Leaked:
    """What was found.

    Attributes:
        leaks: one of each sample that has any, the nearest first.
        samples: that were evaluated.
        hashed: how many of them can be told by a hash.
        base: distances of unrelated pictures; None where near copies were not sought.
        unsought: why not; "" if they were.
    """

    leaks: tuple[Leak, ...]
    samples: int
    hashed: int
    base: BaseRate | None
    unsought: str

    @property
    def keys(self) -> frozenset[str]:
        """Of the samples that leaked."""
        return frozenset(leak.key for leak in self.leaks)

    @property
    def equal(self) -> Rate:
        """Samples whose very file was trained on."""
        return Rate(sum(leak.bits == EQUAL for leak in self.leaks), self.samples)

    @property
    def near(self) -> Rate:
        """Samples of whose picture another copy was trained on."""
        return Rate(sum(leak.bits != EQUAL for leak in self.leaks), self.samples)

    @property
    def any(self) -> Rate:
        """Both."""
        return Rate(len(self.leaks), self.samples)

    @property
    def told(self) -> bool:
        """Whether unrelated pictures of this corpus would hardly have given so many."""
        return bool(self.equal.count) or (self.base is not None and self.base.tells(self.near.count))


def find_leaked(trained: Trained, keys: list[str], hashes: Hashes | None) -> Leaked:
    """Compare the samples with every row trained on, by the index alone.

    Near is what a dataset's clusters call near: any of a picture's hashes at most `DISTANCE` bits from any of the
    other's, which finds 96 of 100 copies cropped by 4 % and no pair of 363,378 unrelated photographs
    (docs/data-quality.md). The base rate says what it is worth in this corpus.

    Args:
        keys: of the samples.
        hashes: [N, K] of every row of the index; None: there are none.
    """
    samples = trained.places_of(keys)
    found = _equal(trained, samples)
    if hashes is None:
        how = f"python pipelines/annotate.py {trained.dataset.root} {HASHES}"
        leaks = [Leak(keys[sample], row, EQUAL) for sample, row in sorted(found.items())]
        return Leaked(tuple(leaks), len(keys), 0, None, f"{trained.dataset.root.name} has no {HASHES}. Make it: {how}")
    ours, theirs = hashes[samples], hashes[trained.places]
    pairs = within(ours, theirs, DISTANCE)
    bits = dict.fromkeys(found, EQUAL)
    for place in np.argsort(pairs.bits, kind="stable"):
        sample = int(pairs.queries[place])
        if sample not in found:
            found[sample], bits[sample] = int(trained.places[pairs.values[place]]), int(pairs.bits[place])
    nearest_first = sorted(found, key=lambda sample: (bits[sample], keys[sample]))
    leaks = [Leak(keys[sample], found[sample], bits[sample]) for sample in nearest_first]
    hashed = int((ours != NONE).any(axis=1).sum())
    return Leaked(tuple(leaks), len(keys), hashed, base_rate(ours, theirs), "")


def _equal(trained: Trained, samples: NDArray[np.int64]) -> dict[int, int]:
    """Samples whose file was trained on, and the place of a row that has it."""
    pictures = as_numbers(trained.index["picture"])
    known = pictures[trained.places]
    order = np.argsort(known, kind="stable")
    where = np.searchsorted(known, pictures[samples], sorter=order)
    where[where == len(order)] = 0
    rows = trained.places[order[where]]
    same = np.flatnonzero(pictures[rows] == pictures[samples])
    return {int(sample): int(rows[sample]) for sample in same}
