"""Agreement: what is stored is what the family's annotator makes of the picture today."""

from collections.abc import Iterator

import numpy as np

from evaluate.adherence import ADHERENCE
from evaluate.audit.again import Again
from evaluate.audit.evidence import Evidence, Family
from evaluate.audit.likeness import AGREES
from evaluate.audit.of_rows import compared, verdict_of
from evaluate.audit.verdict import ROWS, Verdict, skipped


def check_agreement(evidence: Evidence) -> Iterator[Verdict]:
    """Every family that could be made again."""
    for name, family in evidence.families.items():
        done = compared(evidence.findings[name])
        if isinstance(family.again, str):
            yield skipped("agreement", name, family.again)
        elif not done:
            yield skipped("agreement", name, "no row could be compared: see size and values")
        elif not family.again.is_own:
            yield _of_stand_in(evidence, family, family.again)
        else:
            yield _of_own(evidence, family, family.again)


def _of_own(evidence: Evidence, family: Family, again: Again) -> Verdict:
    """Rows that no other check explains; they have to agree."""
    name = family.card.family
    findings = evidence.findings[name]
    done = compared(findings)
    explained = [one for one in done if one.cause not in ("", "agreement")]
    if len(explained) > ROWS.fail * len(done):
        causes = ", ".join(sorted({one.cause for one in explained}))
        return skipped("agreement", name, f"{len(explained)} of {len(done)} differ, which {causes} explains", "")
    equal = sum(one.agreement is None and not one.cause for one in done)
    what = f"differ for no reason that was found; {equal} of {len(done)} equal"
    if again.annotator.name in ADHERENCE:
        measure = ADHERENCE[again.annotator.name].primary
        worst = [one.agreement for one in done if one.agreement is not None]
        if worst:
            least = min(worst) if measure.higher_is_better else max(worst)
            enough = AGREES[measure.name]
            what += f", {measure.name} of the rest {np.mean(worst):.3f}, at worst {least:.3f} ({enough} is enough)"
    remedy = (
        f"its shards were made otherwise than its card says. Make it again: "
        f"{family.card.command(evidence.dataset.root, refresh=True)}"
    )
    return verdict_of("agreement", family, findings, of=len(done), what=what, remedy=remedy)


def _of_stand_in(evidence: Evidence, family: Family, again: Again) -> Verdict:
    """A figure to know: a stand-in is another detector, and how far it may differ nobody knows."""
    name = again.annotator.name
    values = [one.agreement for one in compared(evidence.findings[family.card.family]) if one.agreement is not None]
    if not values:
        return skipped("agreement", family.card.family, f"{name} has no measure of adherence")
    measure = ADHERENCE[name].primary
    mean = float(np.mean(values))
    found = f"{measure.title} {mean:.3f} on average beside {name}, another detector: for you to judge"
    return Verdict("agreement", family.card.family, "pass", found, mean, measure.unit, "none: a stand-in")
