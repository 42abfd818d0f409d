"""Polarity: edges are white on black, near is larger than far, normals point left, up and to the viewer."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence, Family, Pair
from evaluate.audit.likeness import LIKENESS, TO_THE_PIXEL, explains
from evaluate.audit.of_rows import compared, verdict_of
from evaluate.audit.verdict import Limits, Verdict, share_verdict, skipped
from manifests.body import OTHER_SIDE
from manifests.condition import Condition, Kind
from manifests.figures import BODY, Poses

FULL = 0.5  # of a map: more is no edge map, but its negative
BY_MEAN = Limits(warn=0.10, fail=0.50)  # some pictures are full of edges
DRAWN = ("binary", "soft")  # kinds of which the mean alone says so


def inverted(kind: Kind, condition: Condition) -> Iterator[tuple[str, Condition]]:
    """What a condition would be under another convention, with words for each."""
    if kind == "binary":
        yield "black on white", (1 - condition).astype(np.uint8)
    elif kind == "soft":
        yield "black on white", (255 - condition).astype(np.uint8)
    elif kind == "depth":
        yield "larger is farther", -condition
    elif kind == "normal":
        for names, channels in (("x", [0]), ("y", [1]), ("x and y", [0, 1])):
            turned = condition.copy()
            turned[..., channels] = 255 - turned[..., channels]
            yield f"{names} to the other side", turned
        yield "x and z exchanged", np.ascontiguousarray(condition[..., ::-1])
    elif isinstance(condition, Poses):
        yield "left and right exchanged", Poses(condition.shape, tuple(map(_other_side, condition.people)))


def find_polarity(kind: Kind, stored: Condition, again: Condition) -> str:
    """Which other convention explains a condition that is not what its annotator makes; "" if none does."""
    alike = TO_THE_PIXEL[kind]
    plain = alike(stored, again)
    for words, other in inverted(kind, again):
        if explains(alike(stored, other), plain):
            return words
    return ""


def find_polarity_of_many(kind: Kind, pairs: Sequence[Pair]) -> str:
    """Which other convention most rows fit better, where they were made again by a stand-in; "" if none."""
    alike = LIKENESS[kind]
    plain = np.array([alike(pair.stored, pair.again) for pair in pairs])
    words = [said for said, _ in inverted(kind, pairs[0].again)]
    others = [[alike(pair.stored, other) for _, other in inverted(kind, pair.again)] for pair in pairs]
    for said, of in zip(words, np.array(others).T, strict=True):
        if np.mean(of > plain) > FULL and of.mean() > plain.mean():
            return said
    return ""


def is_negative(kind: Kind, stored: Condition) -> bool:
    """Whether an edge map by itself looks like its negative."""
    return kind in DRAWN and float(np.mean(stored)) / (1 if kind == "binary" else 255) > FULL


def check_polarity(evidence: Evidence) -> Iterator[Verdict]:
    """Every family whose kind has a polarity."""
    for name, family in evidence.families.items():
        if family.card.kind not in (*DRAWN, "depth", "normal", "keypoints"):
            continue
        findings = evidence.findings[name]
        done = compared(findings)
        remedy = _remedy(evidence, family)
        if done:
            yield verdict_of(
                "polarity", family, findings, of=len(done), what="are of the other polarity", remedy=remedy
            )
        elif family.card.kind in DRAWN:
            yield _by_mean(family, remedy)
        else:
            yield skipped("polarity", name, _why(family))


def _by_mean(family: Family, remedy: str) -> Verdict:
    """Without anything to compare with: edges cover less than half of a picture."""
    there = [pair for pair in family.pairs if pair.stored is not None]
    bad = [pair.place for pair in there if is_negative(family.card.kind, pair.stored)]
    found = f"{len(bad)} of {len(there)} are white for the most part; nothing else could be compared"
    return share_verdict(
        "polarity",
        family.card.family,
        bad=len(bad),
        of=len(there),
        found=found,
        remedy=remedy,
        places=tuple(bad[:6]),
        limits=BY_MEAN,
    )


def _why(family: Family) -> str:
    return family.again if isinstance(family.again, str) else "no row could be compared"


def _remedy(evidence: Evidence, family: Family) -> str:
    name = family.card.family
    return (
        f"hints of {name} would be drawn the wrong way round. Make it again: "
        f"{family.card.command(evidence.dataset.root, refresh=True)}; provided, ingest it in the other form"
    )


def _other_side(person: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([person[:BODY][list(OTHER_SIDE)], person[BODY:]])
