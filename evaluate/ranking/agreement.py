"""Krippendorff's alpha for ordinal data: how far raters agree, from 1 (always) to 0 (as by chance), and below."""

import numpy as np

from evaluate.ranking.rankings import Rankings
from evaluate.statistics import Array, Interval, bootstrap, interval


def agreement(answers: Rankings) -> Interval:
    """Alpha over all raters; what is rated is each picture, with its rank.

    The interval is over samples alone: a resample of raters would hold some twice, who agree with themselves.

    Returns:
        NaN where no two raters ranked the same sample.
    """
    table = np.full((answers.of[0], answers.of[1], answers.ranks.shape[1]), np.nan)
    table[answers.raters, answers.samples] = answers.ranks
    ranks = np.unique(answers.ranks)
    each = np.stack([coincidences(table[:, sample], ranks) for sample in range(answers.of[1])])
    value, replicates = bootstrap(
        lambda weights: alpha((weights @ each.reshape(len(each), -1)).reshape(-1, *each.shape[1:])), len(each)
    )
    return interval(float(value), replicates[np.isfinite(replicates)])


def coincidences(values: Array, categories: Array) -> Array:
    """Pairs of values that two raters gave to one unit, each unit by the number of its raters (Krippendorff 2011).

    Args:
        values: [N, U] float64, of N raters for U units; NaN: none given.
        categories: [C] float64, all values there are, ascending.

    Returns:
        [C, C] float64, symmetric.
    """
    counts = (values[:, :, None] == categories).sum(axis=0).astype(np.float64)  # [U, C]
    raters = counts.sum(axis=1)
    paired = raters > 1
    counts, raters = counts[paired], raters[paired]
    scaled = counts / (raters - 1)[:, None]
    return np.asarray(scaled.T @ counts - np.diag(scaled.sum(axis=0)))


def alpha(coincidence: Array) -> Array:
    """1 less the observed disagreement by the expected one.

    Args:
        coincidence: [R, C, C] float64, sums of `coincidences`.

    Returns:
        [R] float64; NaN where all values are one, or none is paired.
    """
    totals = coincidence.sum(axis=2)
    pairs = totals.sum(axis=1)
    apart = _ordinal(totals)
    observed = (coincidence * apart).sum(axis=(1, 2))
    expected = (totals[:, :, None] * totals[:, None, :] * apart).sum(axis=(1, 2))
    undefined = np.full(len(pairs), np.nan)
    return 1 - (pairs - 1) * np.divide(observed, expected, out=undefined, where=expected > 0)


def _ordinal(totals: Array) -> Array:
    """Squared distance of two ranks: how many values lie from one to the other, both ends by half.

    Args:
        totals: [R, C] float64, how often each value was given.

    Returns:
        [R, C, C] float64.
    """
    middle = totals.cumsum(axis=1) - totals / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)
