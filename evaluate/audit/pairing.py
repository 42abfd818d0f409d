"""Pairing: a condition is that of its own row, and not of another one."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from annotate.stored import Stored
from evaluate.audit.again import Again, fitted
from evaluate.audit.evidence import Evidence, Family, Pair
from evaluate.audit.likeness import LIKENESS, are_same, explains
from evaluate.audit.of_rows import compared, verdict_of
from evaluate.audit.sample import at, read
from evaluate.audit.verdict import Limits, Verdict, skipped
from manifests.layout import IMAGES

OTHERS = 20  # rows whose conditions a stored one is compared with beside its own
CHANCE = 0.002  # that so many rows would be most like their own picture though they are of others
TRACED = 5  # rows whose owner is looked for among their neighbours
EQUAL = 0.02  # of a difference: a neighbour's condition is this one
RANK = Limits(warn=0.2, fail=0.35)  # mean rank of a row's own among others: 0 if it is always first, 0.5 by chance


def own_rank(family: Family, pair: Pair, pairs: Sequence[Pair]) -> float:
    """Share of conditions of other pictures, made again, that are liker a stored one than its own; ties count half."""
    alike = LIKENESS[family.card.kind]
    others = [other for other in pairs if other.cluster != pair.cluster and other.again is not None]
    start = pairs.index(pair) if pair in pairs else 0
    others = [others[(start + step) % len(others)] for step in range(min(OTHERS, len(others)))]
    if not others:
        return 0.0
    own = alike(pair.stored, pair.again)
    values = [alike(pair.stored, fitted(family.card, other.again, pair.stored)) for other in others]
    return float(np.mean(np.array(values) > own) + np.mean(np.array(values) == own) / 2)


def are_elsewhere(ranks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some rows that nothing else explains belong to other pictures: [N] bool, from their ranks, [N].

    A row that is most like its own picture belongs there, unless no more rows are than would be by chance.
    """
    if not len(ranks):
        return np.zeros(0, bool)
    first = ranks == 0
    by_chance = binom.sf(int(first.sum()) - 1, len(ranks), 1 / (OTHERS + 1)) > CHANCE
    return np.ones(len(ranks), bool) if by_chance and not first.all() else ~first


def are_by_chance(ranks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether rows that agree with their own pictures agree no less with others, [N] bool, all or none, from ranks [N].

    Normals of rooms are so alike that those of another room agree; one row's may be liker a near copy's than its own.
    """
    return np.full(len(ranks), bool(len(ranks)) and float(ranks.mean()) > RANK.fail)


def check_pairing(evidence: Evidence) -> Iterator[Verdict]:
    """Every family whose conditions lie over pictures."""
    for name, family in evidence.families.items():
        if family.card.kind not in LIKENESS:
            continue
        findings = evidence.findings[name]
        of = sum(one.compared or one.cause == "pairing" for one in findings)
        again = family.again
        remedy = (
            f"conditions of {name} were put beside other pictures. Make it again: "
            f"{family.card.command(evidence.dataset.root, refresh=True)}, or ingest the corpus anew"
        )
        if not of:
            yield skipped("pairing", name, again if isinstance(again, str) else "no row could be compared")
        elif isinstance(again, str) or again.is_own:
            what = "belong to other pictures"
            if isinstance(again, Again):
                what += _traced(evidence, family, again)
            yield verdict_of("pairing", family, findings, of=of, what=what, remedy=remedy)
        else:
            yield _by_rank(evidence, family, remedy)


def _by_rank(evidence: Evidence, family: Family, remedy: str) -> Verdict:
    """By a stand-in: its conditions are like the stored ones of their own rows, if not equal to them."""
    there = {finding.place for finding in compared(evidence.findings[family.card.family]) if not finding.cause}
    pairs = [pair for pair in family.pairs if pair.place in there and pair.status == "ok"]
    if len(pairs) < 2:
        return skipped("pairing", family.card.family, "fewer than two rows could be compared")
    rank = float(np.mean([own_rank(family, pair, pairs) for pair in pairs]))
    found = f"a row's own comes after {100 * rank:.0f} % of other rows' on average over {len(pairs)} (50 % by chance)"
    state = RANK.judge(rank)
    threshold = f"warn > {RANK.warn}, fail > {RANK.fail}"
    said = remedy if state != "pass" else ""
    return Verdict("pairing", family.card.family, state, found, rank, "mean rank, 0 to 1", threshold, said)


def _traced(evidence: Evidence, family: Family, again: Again) -> str:
    """Where the conditions of some rows come from, if from a neighbour."""
    astray = [one.place for one in evidence.findings[family.card.family] if one.cause == "pairing"][:TRACED]
    steps = [step for place in astray for step in (-1, 1) if _is_owner(evidence, family, again, place, step)]
    for step, word in ((-1, "before"), (1, "after")):
        if 2 * steps.count(step) > len(astray):
            return f" (of the row {word} theirs: the rows are off by one)"
    return ""


def _is_owner(evidence: Evidence, family: Family, again: Again, place: int, step: int) -> bool:
    """Whether a stored condition is that of the neighbour `step` rows on."""
    if not 0 <= place + step < len(evidence.index):
        return False
    (picture,) = read(evidence.dataset, IMAGES, at(evidence.index, [place + step]), ("key", "captions", "image"))
    pair = next(pair for pair in family.pairs if pair.place == place)
    if picture is None:
        return False
    made = fitted(
        family.card, again(Stored.of(picture), picture["key"], (pair.row or {}).get("parameters")), pair.stored
    )
    kind = family.card.kind
    return are_same(kind, pair.stored, made) or explains(LIKENESS[kind](pair.stored, made), 0.0, by=EQUAL)
