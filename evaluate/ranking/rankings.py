"""Rankings: all answers to one question as arrays, unblinded, and resamples of both the raters and the samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evaluate.ranking.key import Key
from evaluate.ranking.votes import Answer, Ballot
from evaluate.statistics import Array, resamples


@dataclass(frozen=True)
class Rankings:
    """V answers of N raters on S samples about K runs.

    Attributes:
        ranks: [V, K] float64 in [1, K], of each run, 1 the best; tied runs share the mean of their ranks.
        raters: [V] int64, whose answer it is.
        samples: [V] int64, the number of the sample on the page.
        of: N and S.
    """

    ranks: Array
    raters: NDArray[np.int64]
    samples: NDArray[np.int64]
    of: tuple[int, int]

    @property
    def ties(self) -> int:
        """How many answers hold a tie."""
        return sum(len(set(row)) < len(row) for row in self.ranks.tolist())


def rankings(ballots: Sequence[Ballot], key: Key, question: str, *, repeat: bool = False) -> Rankings:
    """The answers to one question, by run instead of by picture.

    Args:
        repeat: those given to samples that came again, which count for the raters' agreement with themselves alone.
    """
    chosen = [
        (rater, answer)
        for rater, ballot in enumerate(ballots)
        for answer in ballot.answers
        if answer.question == question and answer.repeat == repeat
    ]
    return Rankings(
        ranks=np.array([_by_run(answer, key) for _, answer in chosen]).reshape(-1, len(key.runs)),
        raters=np.array([rater for rater, _ in chosen], np.int64),
        samples=np.array([answer.sample for _, answer in chosen], np.int64),
        of=(len(ballots), len(key.samples)),
    )


def reweighted(answers: Rankings) -> Array:
    """How often each answer counts in each resample: [R, V] float64.

    Raters and samples are drawn with replacement, each by themselves, and an answer counts as often as its rater times
    its sample: the pigeonhole bootstrap (Owen, Annals of Applied Statistics 2007), which errs on the wide side. Where
    answers are missing, a resample may hold none at all; it is left out.
    """
    raters, samples = answers.of
    of_raters = np.concatenate(list(resamples(raters, seed=1)))
    of_samples = np.concatenate(list(resamples(samples, seed=2)))
    weights = of_raters[:, answers.raters] * of_samples[:, answers.samples]
    return weights[weights.any(axis=1)]


def _by_run(answer: Answer, key: Key) -> Array:
    """[K] float64: ranks of the runs, ties halved."""
    by_run = np.empty(len(key.runs))
    by_run[list(key.samples[answer.sample].runs)] = rankdata(answer.ranks)
    return by_run
