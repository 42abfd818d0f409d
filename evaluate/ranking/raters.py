"""Each rater alone: how much they ranked, how long they looked, and whether they agree with themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from evaluate.ranking.key import Key
from evaluate.ranking.questions import questions
from evaluate.ranking.votes import Answer, Ballot

CHANCE = 0.5  # of self-agreement: two orders at random agree in half of the pairs


@dataclass(frozen=True)
class Rater:
    """One rater.

    Attributes:
        answers: how many were given.
        asked: how many the page asks for.
        seconds: median over answers.
        itself: share of pairs of pictures that were put in the same order when their sample came again, 0 to 1; None
            where none did.
        pairs: how many there were.
    """

    name: str
    answers: int
    asked: int
    seconds: float
    itself: float | None
    pairs: int


def rater_of(ballot: Ballot, key: Key) -> Rater:
    """Sum up one ballot."""
    same = [agrees for first, again in _twice(ballot.answers) for agrees in _pairs(first, again)]
    return Rater(
        name=ballot.rater,
        answers=len(ballot.answers),
        asked=(len(key.samples) + key.repeats) * len(questions(key.condition)),
        seconds=median(answer.seconds for answer in ballot.answers),
        itself=sum(same) / len(same) if same else None,
        pairs=len(same),
    )


def _twice(answers: Sequence[Answer]) -> list[tuple[Answer, Answer]]:
    """Answers to the same question about the same sample."""
    first = {(answer.sample, answer.question): answer for answer in answers if not answer.repeat}
    again = [answer for answer in answers if answer.repeat]
    return [(first[place], answer) for answer in again if (place := (answer.sample, answer.question)) in first]


def _pairs(first: Answer, again: Answer) -> list[bool]:
    """Of each pair of pictures whether both answers order it alike."""

    def order(answer: Answer, one: int, other: int) -> int:
        here, there = answer.ranks[one], answer.ranks[other]
        return (here > there) - (here < there)

    pairs = combinations(range(len(first.ranks)), 2)
    return [order(first, one, other) == order(again, one, other) for one, other in pairs]
