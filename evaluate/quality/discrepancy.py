"""Squared maximum mean discrepancy (Gretton et al. 2012) between pictures drawn and real, which KID and CMMD are.

Pictures here come in pairs: a real one is drawn again, once or several times, so neither the two pictures of a pair nor
the draws of a sample are independent. All pairs of pictures within one sample are left out, on both sides and between
them: the U-statistic of Gretton's eq. 4 over samples. Its expectation is 0 where both sides are alike, whatever the
number of samples. The estimators of published tables keep the pairs that picture and real picture make, which lowers
them by 2 / N of how much nearer those are than strangers; CMMD's V-statistic adds each picture's kernel with itself.
"""

from collections.abc import Callable

import numpy as np

from evaluate.quality.seen import SeenOf
from evaluate.statistics import Array, Statistic

Kernel = Callable[[Array, Array], Array]  # [P, F] and [Q, F] → [P, Q]

SIGMA = 10.0  # of CMMD: Jayasumana et al. 2024, section 4
ROWS = 256  # samples in a block of the kernel's matrix


def cubic(one: Array, other: Array) -> Array:
    """The kernel of KID: (x·y / F + 1)³ (Bińkowski et al. 2018)."""
    return np.asarray((one @ other.T / one.shape[1] + 1) ** 3, np.float64)


def gaussian(one: Array, other: Array) -> Array:
    """The kernel of CMMD: exp(-|x - y|² / (2 · 10²))."""
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.asarray(np.exp(-np.maximum(squared, 0) / (2 * SIGMA**2)), np.float64)


def between(one: SeenOf, other: SeenOf, kernel: Kernel) -> Array:
    """Mean of the kernel over the pictures of two samples, for every two: [N, M] float64."""
    blocks = []
    for start in range(0, len(one.keys), ROWS):
        starts, counts = one.starts[start : start + ROWS], one.counts[start : start + ROWS]
        rows = kernel(one.features[starts[0] : starts[-1] + counts[-1]], other.features)
        sums = np.add.reduceat(np.add.reduceat(rows, starts - starts[0], axis=0), other.starts, axis=1)
        blocks.append(sums / counts[:, None] / other.counts)
    return np.concatenate(blocks)


def terms_of(drawn: SeenOf, real: SeenOf, kernel: Kernel, *, among_real: Array) -> Array:
    """What every two samples add to the discrepancy, Gretton's h of eq. 4: [N, N] float64, symmetric.

    Args:
        drawn: of N samples.
        real: of the same.
        among_real: `between` the real pictures, which all arms share.
    """
    across = between(drawn, real, kernel)
    return between(drawn, drawn, kernel) + among_real - across - across.T


def unbiased(terms: Array) -> Statistic:
    """The U-statistic of any resample of the samples: how often each counts [R, N] → [R] float64.

    A sample that was drawn twice makes no pair with itself; NaN where no other is left. Intervals made with it cover
    more than they say where the discrepancy is 0, for there a bootstrap of a U-statistic is too wide.
    """
    apart = terms - np.diag(np.diag(terms))

    def statistic(weights: Array) -> Array:
        pairs = weights.sum(1) ** 2 - (weights**2).sum(1)
        total = ((weights @ apart) * weights).sum(1)
        return np.divide(total, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)

    return statistic


def halves(among_real: Array, *, splits: int, seed: int) -> Array:
    """The discrepancy between two random halves of the real pictures, again and again: [splits] float64.

    Args:
        among_real: [N, N], of at least four samples.
        splits: how often they are halved.
        seed: of the halving.
    """
    samples = len(among_real)
    size = samples // 2
    generator = np.random.default_rng(seed)
    places = generator.permuted(np.tile(np.arange(samples), (splits, 1)), axis=1)
    one, other = (np.zeros((splits, samples)) for _ in range(2))
    np.put_along_axis(one, places[:, :size], 1.0, axis=1)
    np.put_along_axis(other, places[:, size : 2 * size], 1.0, axis=1)
    within = unbiased(among_real)
    across = ((one @ among_real) * other).sum(1) / size**2
    return np.asarray(within(one) + within(other) - 2 * across, np.float64)
