"""How near unrelated pictures of a corpus are to each other by their hashes: what a copy must be told from."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import poisson

from evaluate.leaks.nearest import FAR, apart
from manifests.splits.hamming import Hashes
from manifests.splits.near import DISTANCE

PAIRS = 4_000_000  # that are looked at, two seconds of a core
BLOCK = 1 << 16  # pairs at once
TELLING = 0.05  # p of as many near pairs by chance


@dataclass(frozen=True)
class BaseRate:
    """Distances of pictures of the one set to pictures of the other, drawn at random.

    Attributes:
        counts: how many pairs are so many bits apart, from 0 to 64.
        rows: of the other set that each is compared with in earnest.
    """

    counts: tuple[int, ...]
    rows: int
    samples: int

    @property
    def pairs(self) -> int:
        """That were looked at."""
        return sum(self.counts)

    @property
    def median(self) -> int:
        """Bits between two pictures of the corpus; half of the pairs are no nearer."""
        return int(np.searchsorted(np.cumsum(self.counts), self.pairs / 2)) if self.pairs else FAR

    @property
    def closest(self) -> int:
        """Bits between the nearest two that are no near-duplicates."""
        return next((bits for bits, count in enumerate(self.counts) if count and bits > DISTANCE), FAR)

    @property
    def expected(self) -> float:
        """Pairs of unrelated pictures at most `DISTANCE` bits apart that so many samples and rows have by chance.

        The pairs that near are what is asked about, so the next ones tell of them. Distances of unrelated pictures are
        log-concave: each step of four bits towards 0 loses a greater share than the one before, so that of 5 to 8 over
        9 to 12 bits bounds that of 1 to 4 over 5 to 8.
        """
        next_, beyond = (sum(self.counts[low : low + DISTANCE]) for low in (DISTANCE + 1, 2 * DISTANCE + 1))
        seen = next_**2 / max(beyond, 1)
        return seen * self.samples * self.rows / self.pairs if self.pairs else 0.0

    def tells(self, found: int) -> bool:
        """Whether chance alone would hardly give so many near pairs."""
        return bool(found and poisson.sf(found - 1, self.expected) <= TELLING)


def base_rate(queries: Hashes, values: Hashes) -> BaseRate:
    """Look at pairs drawn at random.

    Args:
        queries: [Q, K], `NONE` where there is none.
        values: [N, L], likewise.
    """
    generator = np.random.default_rng(0)
    counts = np.zeros(FAR + 1, np.int64)
    for start in range(0, min(PAIRS, queries.shape[0] * values.shape[0]), BLOCK):
        size = min(BLOCK, queries.shape[0] * values.shape[0] - start)
        one, other = generator.integers(0, len(queries), size), generator.integers(0, len(values), size)
        counts += np.bincount(apart(queries[one], values[other]), minlength=FAR + 1)
    return BaseRate(tuple(counts[:FAR].tolist()), len(values), len(queries))
