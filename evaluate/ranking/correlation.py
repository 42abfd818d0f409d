"""Whether the primary measure of adherence orders the pictures of a sample as people do."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from evaluate.ranking.key import Key
from evaluate.ranking.rankings import Rankings
from evaluate.statistics import Array, Interval, interval


@dataclass(frozen=True)
class Correlation:
    """Spearman's, -1 to 1, within samples: 0 by chance.

    Attributes:
        measure: the measure with one answer of one rater, the mean over answers.
        people: two raters' answers to one sample with each other, the mean over pairs: no measure need do better. NaN
            where no two ranked the same sample.
        samples: how many `measure` is over: those whose scores are all defined and not all equal.
        of: the samples that were ranked.
    """

    measure: Interval
    people: float
    samples: int
    of: int


def correlation(answers: Rankings, key: Key, weights: Array) -> Correlation:
    """Hold the measure against the raters.

    Args:
        answers: to the question of fidelity.
        weights: [R, V] float64, how often each counts in each resample of raters and samples.
    """
    sign = 1 if key.measure.higher_is_better else -1
    scores = sign * np.array([sample.scores for sample in key.samples], np.float64)[answers.samples]
    told = np.isfinite(scores).all(axis=1) & (np.ptp(answers.ranks, axis=1) > 0)
    told[told] = np.ptp(scores[told], axis=1) > 0
    each = spearman(-answers.ranks[told], scores[told])
    counted = weights[:, told].sum(axis=1)
    replicates = (weights[:, told] @ each)[counted > 0] / counted[counted > 0]
    return Correlation(
        measure=interval(float(each.mean()) if len(each) else float("nan"), replicates),
        people=_among(answers),
        samples=len(np.unique(answers.samples[told])),
        of=len(np.unique(answers.samples)),
    )


def spearman(one: Array, other: Array) -> Array:
    """Rank correlation along the last axis, ties by mean ranks: twice [..., K] → [...]; NaN where one is constant."""
    first, second = (rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2 for values in (one, other))
    norm = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    return np.divide((first * second).sum(-1), norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def _among(answers: Rankings) -> float:
    """The mean over pairs of answers to one sample."""
    of_samples = [answers.ranks[answers.samples == sample] for sample in np.unique(answers.samples)]
    pairs = [spearman(ranks[:, None], ranks[None])[np.triu_indices(len(ranks), 1)] for ranks in of_samples]
    found = np.concatenate(pairs)
    found = found[np.isfinite(found)]
    return float(found.mean()) if len(found) else float("nan")
