"""Verdicts over rows: the share of a family's sampled rows that have one cause, and what they share."""

from collections import Counter
from collections.abc import Callable, Iterator

from evaluate.audit.evidence import Evidence, Family
from evaluate.audit.finding import Cause, Finding
from evaluate.audit.verdict import Verdict, share_verdict, skipped
from manifests.family import FamilyCard

SHOWN = 6  # rows of a verdict


def verdicts(evidence: Evidence, cause: Cause, what: str, remedy: Callable[[FamilyCard], str]) -> Iterator[Verdict]:
    """One verdict for each family that has conditions, over all its rows that have one."""
    for name, family in evidence.families.items():
        there = [pair.place for pair in family.pairs if pair.row is not None and pair.status != "failed"]
        if family.card.kind in ("text", "scores") and cause == "size":
            continue
        if not there:
            yield skipped(cause, name, "no sampled row has a condition")
            continue
        yield verdict_of(cause, family, evidence.findings[name], of=len(there), what=what, remedy=remedy(family.card))


def verdict_of(
    cause: Cause, family: Family, findings: tuple[Finding, ...], *, of: int, what: str, remedy: str
) -> Verdict:
    """The verdict over the rows with this cause."""
    bad = [finding for finding in findings if finding.cause == cause]
    words = "; ".join(f"{said} ({count})" for said, count in Counter(one.said for one in bad).most_common(3) if said)
    found = f"{len(bad)} of {of} {what}" + (f": {words}" if words else "")
    places = tuple(one.place for one in bad[:SHOWN])
    return share_verdict(cause, family.card.family, bad=len(bad), of=of, found=found, remedy=remedy, places=places)


def compared(findings: tuple[Finding, ...]) -> list[Finding]:
    """Those of rows that were compared with their condition made again."""
    return [finding for finding in findings if finding.compared]
