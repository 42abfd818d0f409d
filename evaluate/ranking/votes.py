"""Votes: what one rater's file says, checked against the key before anything is counted."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError, field_validator

from annotate.corpora.text import visible
from evaluate.ranking.key import Key, first_error
from evaluate.ranking.questions import questions

VERSION = 1  # of the files that the page saves


class Answer(BaseModel, frozen=True, extra="forbid"):
    """How one rater ranked the pictures of one sample, asked one question."""

    sample: NonNegativeInt  # its number on the page
    repeat: bool  # shown for the second time
    question: str
    shown: tuple[NonNegativeInt, ...]  # pictures by their number on the page, from left to right
    ranks: tuple[PositiveInt, ...]  # of the pictures in the order of the page; 1 is the best; equal ones are ties
    seconds: NonNegativeFloat


class Ballot(BaseModel, frozen=True, extra="forbid"):
    """The file of one rater."""

    version: PositiveInt
    page: str
    rater: str
    answers: tuple[Answer, ...]

    @field_validator("rater")
    @classmethod
    def _named(cls, rater: str) -> str:
        """One spelling, so that no rater counts twice."""
        name = visible(unicodedata.normalize("NFC", rater)).strip()
        if not name:
            raise ValueError("a rater needs a name")
        return name


def read_ballots(paths: Sequence[Path], key: Key) -> list[Ballot]:
    """Read and check the files of all raters.

    Args:
        key: of the page that they answered.

    Returns:
        One ballot a rater, sorted by name. Some answers may be missing, as of raters who stopped; none is half given.

    Raises:
        ValueError: A file is no ballot of this page, holds half an answer, or two are of one rater; names the file.
    """
    found: dict[str, tuple[Path, Ballot]] = {}
    for path in paths:
        ballot = _read(path)
        _check(ballot, key, path)
        name = ballot.rater.casefold()
        if name in found:
            raise ValueError(
                f"{path}: rater {ballot.rater!r} is in {found[name][0]} already. Give one of the two files, or, if "
                "they are two people, change the name in one"
            )
        found[name] = path, ballot
    if not found:
        raise ValueError("there are no votes. Give the files that raters saved from the page")
    return [found[name][1] for name in sorted(found)]


def _read(path: Path) -> Ballot:
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file of votes. Give those that raters saved from the page")
    try:
        ballot = Ballot.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{path}: these are no votes as the page saves them: {first_error(error)}") from error
    if ballot.version != VERSION:
        raise ValueError(f"{path}: votes of version {ballot.version}; this Pairmill reads {VERSION}. Export a new page")
    return ballot


def _check(ballot: Ballot, key: Key, path: Path) -> None:
    """Refuse answers that no rater could have given on this page."""
    if ballot.page != key.page:
        raise ValueError(
            f"{path}: votes of page {ballot.page}, and the key is of page {key.page}. Give the votes of this page, or "
            "the folder of theirs"
        )
    if not ballot.answers:
        raise ValueError(f"{path}: rater {ballot.rater!r} ranked nothing. Leave the file out")
    for answer in ballot.answers:
        trouble = _trouble(answer, key)
        if trouble:
            raise ValueError(
                f"{path}: sample {answer.sample}, {answer.question}: {trouble}. Ask for the file as it was saved"
            )
    twice = Counter((answer.sample, answer.question, answer.repeat) for answer in ballot.answers).most_common(1)
    if twice[0][1] > 1:
        sample, question, _ = twice[0][0]
        raise ValueError(f"{path}: sample {sample}, {question}: answered twice. Ask for the file as it was saved")


def _trouble(answer: Answer, key: Key) -> str:
    """What is wrong with one answer, or nothing."""
    runs = len(key.runs)
    if answer.question not in questions(key.condition):
        return "the page asks no such question"
    if answer.sample >= len(key.samples):
        return f"the page has {len(key.samples)} samples"
    if len(answer.ranks) != runs:
        return f"{len(answer.ranks)} ranks of {runs} are there"
    if max(answer.ranks) > runs:
        return f"rank {max(answer.ranks)} of {runs} pictures"
    if sorted(answer.shown) != list(range(runs)):
        return f"pictures {answer.shown} were shown, which are not the page's"
    return ""
