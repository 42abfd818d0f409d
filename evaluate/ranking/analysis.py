"""What the votes of a ranking say: points, strengths and agreement by question, and the measure held against them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.ranking.agreement import agreement
from evaluate.ranking.average_rank import average_user_ranking
from evaluate.ranking.bradley_terry import strengths, tiers, wins
from evaluate.ranking.correlation import Correlation, correlation
from evaluate.ranking.key import Key
from evaluate.ranking.questions import FIDELITY, questions
from evaluate.ranking.rankings import Rankings, rankings, reweighted
from evaluate.ranking.raters import Rater, rater_of
from evaluate.ranking.votes import Ballot
from evaluate.statistics import Array, Interval, interval


@dataclass(frozen=True)
class Verdict:
    """What raters answered to one question, about K runs.

    Attributes:
        answers: how many.
        ties: how many of them hold a tie.
        average: of each run the average user ranking, 1 to K, higher is better.
        strength: of each run the Bradley-Terry strength, log-odds against the mean run.
        above: [K, K] float64, share of answers that put each run above each other, ties by half.
        tiers: groups of runs, the highest first, none of which was ever above one of a group before it.
        agreement: Krippendorff's alpha, ordinal.
        ahead: by how many points the first run by average is ahead of the second.
    """

    question: str
    answers: int
    ties: int
    average: tuple[Interval, ...]
    strength: tuple[Interval, ...]
    above: Array
    tiers: tuple[tuple[int, ...], ...]
    agreement: Interval
    ahead: Interval

    @property
    def order(self) -> list[int]:
        """Runs from the highest average to the lowest."""
        return sorted(range(len(self.average)), key=lambda run: -self.average[run].value)


@dataclass(frozen=True)
class Analysis:
    """All that the votes say."""

    key: Key
    raters: tuple[Rater, ...]
    verdicts: tuple[Verdict, ...]
    correlation: Correlation  # of the primary measure with fidelity


def analyse(ballots: Sequence[Ballot], key: Key) -> Analysis:
    """Count the votes.

    Raises:
        ValueError: A question has no answer.
    """
    answers = {question: rankings(ballots, key, question) for question in questions(key.condition)}
    for question, given in answers.items():
        if not len(given.ranks):
            raise ValueError(f"no vote answers the question of {question}. Let a rater go through the page to its end")
    fidelity = answers[FIDELITY]
    return Analysis(
        key=key,
        raters=tuple(rater_of(ballot, key) for ballot in ballots),
        verdicts=tuple(_verdict(question, given) for question, given in answers.items()),
        correlation=correlation(fidelity, key, reweighted(fidelity)),
    )


def _verdict(question: str, answers: Rankings) -> Verdict:
    weights, whole = reweighted(answers), np.ones((1, len(answers.ranks)))
    points, points_again = (average_user_ranking(answers.ranks, each) for each in (whole, weights))
    won, won_again = (wins(answers.ranks, each) for each in (whole, weights))
    first, second = np.argsort(-points[0], kind="stable")[:2].tolist()
    return Verdict(
        question=question,
        answers=len(answers.ranks),
        ties=answers.ties,
        average=_intervals(points, points_again),
        strength=_intervals(strengths(won), strengths(won_again)),
        above=won[0] / len(answers.ranks),
        tiers=tuple(tuple(runs) for runs in tiers(won[0])),
        agreement=agreement(answers),
        ahead=interval(float(points[0, first] - points[0, second]), points_again[:, first] - points_again[:, second]),
    )


def _intervals(values: Array, replicates: Array) -> tuple[Interval, ...]:
    """[1, K] and [R, K] float64 → K intervals."""
    return tuple(interval(value, replicates[:, run]) for run, value in enumerate(values[0].tolist()))
