"""Row by row, why a stored condition is not the one made again: the first cause that explains it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np

from evaluate.adherence import ADHERENCE
from evaluate.audit.alignment import find_alignment, find_alignment_of_many
from evaluate.audit.evidence import Family, Pair
from evaluate.audit.finding import Finding
from evaluate.audit.likeness import LIKENESS, agreement, agrees, are_same
from evaluate.audit.pairing import are_by_chance, are_elsewhere, own_rank
from evaluate.audit.polarity import find_polarity, find_polarity_of_many
from evaluate.audit.size import find_size, implied
from evaluate.audit.values import find_values
from manifests.condition import Kind
from manifests.figures import Scores, Text

NEAR = 1e-4  # relative: numbers that another processor sums otherwise
SEVERAL = 3  # sizes
OTHERS = {"scores": "other numbers", "text": "other words", "latents": "other latents"}
COULD = 3  # rows: a stand-in is judged by no fewer


def diagnose(family: Family) -> tuple[Finding, ...]:
    """A finding for each of a family's pairs, in their order."""
    found = {pair.place: _by_itself(family, pair) for pair in family.pairs}
    found |= _of_other_aspects(family, found)
    left = [pair for pair in family.pairs if not found[pair.place].cause and _comparable(family, pair)]
    if not isinstance(family.again, str):
        compare = _with_own if family.again.is_own else _with_stand_in
        found |= compare(family, left)
    return tuple(found[pair.place] for pair in family.pairs)


def _comparable(family: Family, pair: Pair) -> bool:
    """Whether there are two of it; numbers are all in their stats."""
    there = pair.stored is not None or family.card.kind == "scores"
    return there and pair.again is not None and pair.status in ("ok", "empty")


def _by_itself(family: Family, pair: Pair) -> Finding:
    """What is wrong with a row whatever its annotator makes."""
    if said := find_size(family.card, pair):
        return Finding(pair.place, "size", said)
    if said := find_values(family.card, pair):
        return Finding(pair.place, "values", said)
    return Finding(pair.place)


def _of_other_aspects(family: Family, found: Mapping[int, Finding]) -> dict[int, Finding]:
    """Rows of the right short side and of several other aspects: whoever resizes by mistake makes one size of all."""
    astray = {
        pair.place: (np.shape(pair.stored)[:2], implied(family.card, pair.picture))
        for pair in family.pairs
        if found[pair.place].cause == "size" and isinstance(pair.stored, np.ndarray)
    }
    alike = {place: both for place, both in astray.items() if min(both[0]) == min(both[1])}
    if len({there for there, wanted in alike.values() if there != wanted[::-1]}) < SEVERAL:
        return {}  # or all of them are turned by a quarter
    return {place: replace(found[place], cause="pairing", said="of another picture's size") for place in alike}


def _with_own(family: Family, pairs: Sequence[Pair]) -> Mapping[int, Finding]:
    """By the very annotator: equal, or there is a cause."""
    found = {pair.place: _compared(family, pair) for pair in pairs}
    if family.card.kind not in LIKENESS:
        return found
    doubtful = [pair for pair in pairs if found[pair.place].cause == "agreement"]
    alike = [pair for pair in pairs if found[pair.place].agreement is not None and not found[pair.place].cause]
    for some, judge in ((doubtful, are_elsewhere), (alike, are_by_chance)):
        elsewhere = judge(np.array([own_rank(family, pair, pairs) for pair in some]))
        for pair in compress(some, elsewhere):
            found[pair.place] = replace(found[pair.place], cause="pairing", said="")
    return found


def _compared(family: Family, pair: Pair) -> Finding:
    kind = family.card.kind
    done = Finding(pair.place, compared=True)
    if kind in OTHERS:
        return done if _same(kind, pair) else replace(done, cause="agreement", said=OTHERS[kind])
    if are_same(kind, pair.stored, pair.again):
        return done
    measure, value = agreement(family.card.annotator, pair.stored, pair.again)
    alike = agrees(measure, value)
    done = replace(done, agreement=value)
    if said := find_polarity(kind, pair.stored, pair.again):
        return replace(done, cause="polarity", said=said)
    if lie := str(find_alignment(kind, pair.stored, pair.again, turns=not alike)):
        return replace(done, cause="alignment", said=lie)
    return done if alike else replace(done, cause="agreement")


def _with_stand_in(family: Family, pairs: Sequence[Pair]) -> Mapping[int, Finding]:
    """By another annotator, which is never equal: what most rows have in common."""
    kind = family.card.kind
    assert not isinstance(family.again, str)
    name = family.again.annotator.name
    done = {pair.place: Finding(pair.place, compared=True) for pair in pairs}
    if name in ADHERENCE:
        done = {
            pair.place: replace(done[pair.place], agreement=agreement(name, pair.stored, pair.again)[1])
            for pair in pairs
        }
    shown = [pair for pair in pairs if pair.status == "ok"]
    if len(shown) < COULD or kind not in LIKENESS:
        return done
    if said := find_polarity_of_many(kind, shown):
        return {place: replace(one, cause="polarity", said=said) for place, one in done.items()}
    if said := str(find_alignment_of_many(kind, shown)):
        return {place: replace(one, cause="alignment", said=said) for place, one in done.items()}
    return done


def _same(kind: Kind, pair: Pair) -> bool:
    """Of kinds that no measure of adherence compares."""
    if isinstance(pair.stored, Text) and isinstance(pair.again, Text):
        return pair.stored.text == pair.again.text
    return _equal_stats(pair) if kind == "scores" else are_same(kind, pair.stored, pair.again)


def _equal_stats(pair: Pair) -> bool:
    assert pair.row is not None
    assert isinstance(pair.again, Scores)
    stats = pair.row.get("stats") or {}
    return all(_equal(stats.get(name), value) for name, value in pair.again.values.items() if name in stats)


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, int | float | np.floating):
        return bool(np.isclose(one, float(other), rtol=NEAR, atol=1e-6, equal_nan=True))
    return one == other
