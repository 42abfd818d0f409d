"""The account of a draw: every row of a dataset was drawn, or kept out by the first reason that applies to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.where import Truth


@dataclass(frozen=True)
class Standing:
    """What the rows of a dataset are to a draw, before duplicates and the number of rows asked for are looked at.

    Attributes:
        rows: what a draw needs of every row.
        reasons: (name, in words) of everything that keeps rows out, in order.
        first: [N] uint8, which of the reasons is the first that keeps a row out, from 1; 0: it may be drawn.
        truths: what each conjunct of `where` says of every row; where there are some, the last reason is `where`.
    """

    rows: pa.Table
    reasons: tuple[tuple[str, str], ...]
    first: NDArray[np.uint8]
    truths: Mapping[str, Truth] = field(default_factory=dict)

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """[N] bool."""
        return self.first == 0


@dataclass(frozen=True)
class KeptOut:
    """Rows kept out by one reason, and by none that comes before it."""

    reason: str  # a name, as split_test
    said: str  # of these rows, as "in the test split"
    rows: int


@dataclass(frozen=True)
class Conjunct:
    """One of the conditions that `where` joins by AND. A row may fail several: these counts don't add up."""

    text: str
    keeps_out: int  # rows that don't fulfil it, of those that nothing before `where` keeps out
    alone: int  # of these, rows that fulfil all the others
    nulls: int  # of these, rows for which it is NULL: something it names is not known of them


@dataclass(frozen=True)
class Account:
    """Rows of the dataset = drawn + kept out.

    Attributes:
        rows: of the dataset.
        drawn: by this manifest.
        judged: rows that `where` had to decide on.
        wordless: of the drawn, rows for which the family that `captions` names has no words; their caption is empty.
    """

    rows: int
    drawn: int
    judged: int
    kept_out: tuple[KeptOut, ...]
    conjuncts: tuple[Conjunct, ...] = ()
    wordless: int = 0

    def __post_init__(self) -> None:
        assert self.rows == self.drawn + sum(out.rows for out in self.kept_out), f"rows are missing in {self}"

    def __str__(self) -> str:
        """As one line."""
        parts = [f"{out.rows:,} {out.said}{self._by_conjunct(out)}" for out in self.kept_out]
        return f"Of {self.rows:,} rows {self.drawn:,} can be drawn; kept out: {'; '.join(parts) or 'none'}"

    def effect(self, part: Conjunct) -> str:
        """What one condition of `where` does, in words that follow it."""
        if not part.keeps_out:
            return "keeps out none"
        alone = f", {f'{part.alone:,}' if part.alone else 'none'} of them alone" if len(self.conjuncts) > 1 else ""
        nulls = f", {part.nulls:,} because it is NULL" if part.nulls else ""
        return f"keeps out {part.keeps_out:,}{alone}{nulls}"

    def _by_conjunct(self, out: KeptOut) -> str:
        if out.reason != "where":
            return ""
        found = "; ".join(f"{part.text!r} {self.effect(part)}" for part in self.conjuncts)
        return f" (of {self.judged:,} rows that nothing else keeps out {found})"


def first_reasons(rows: int, outs: Sequence[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """Of every row the first mask that is true, from 1, or 0: [N] uint8."""
    first = np.zeros(rows, np.uint8)
    for place, out in reversed(list(enumerate(outs, 1))):
        first[out] = place
    return first


def account_of(standing: Standing, *, order: int, drawn: int, wordless: int = 0) -> Account:
    """Count a draw.

    Args:
        order: eligible rows left when duplicates are out, of which the first `drawn` are drawn.
    """
    counts = np.bincount(standing.first, minlength=len(standing.reasons) + 1).tolist()
    kept_out = [KeptOut(name, said, counts[place]) for place, (name, said) in enumerate(standing.reasons, 1)]
    kept_out.append(KeptOut("duplicate", "duplicates of a row that can be drawn", counts[0] - order))
    kept_out.append(_beyond(drawn, order))
    judged = counts[0] + (counts[-1] if standing.truths else 0)
    return Account(
        rows=len(standing.rows),
        drawn=drawn,
        judged=judged,
        kept_out=tuple(out for out in kept_out if out.rows or out.reason == "where"),
        conjuncts=_conjuncts(standing),
        wordless=wordless,
    )


def of_first(account: Account, rows: int, *, found: int, wordless: int) -> Account:
    """The account of the first `rows` of the same draw.

    Args:
        found: eligible rows without duplicates, of which these are the first.
        wordless: of these, rows without words.
    """
    kept_out = [out for out in account.kept_out if out.reason != "beyond"]
    if found > rows:
        kept_out.append(_beyond(rows, found))
    return replace(account, drawn=rows, kept_out=tuple(kept_out), wordless=wordless)


def account_from(record: Mapping[str, Any]) -> Account:
    """The account that `dataclasses.asdict` made a record of."""
    kept_out = tuple(KeptOut(**out) for out in record["kept_out"])
    parts = tuple(Conjunct(**part) for part in record["conjuncts"])
    return Account(**{**record, "kept_out": kept_out, "conjuncts": parts})


def _beyond(drawn: int, order: int) -> KeptOut:
    return KeptOut("beyond", f"beyond the first {drawn:,} of the draw's order", order - drawn)


def _conjuncts(standing: Standing) -> tuple[Conjunct, ...]:
    if not standing.truths:
        return ()
    judged = standing.eligible | (standing.first == len(standing.reasons))
    missed = {text: ~truth.fulfilled[judged] for text, truth in standing.truths.items()}
    of_all = np.sum(list(missed.values()), axis=0, dtype=np.uint8)
    return tuple(
        Conjunct(
            text,
            keeps_out=int(out.sum()),
            alone=int((out & (of_all == 1)).sum()),
            nulls=int(standing.truths[text].unknown[judged].sum()),
        )
        for text, out in missed.items()
    )
