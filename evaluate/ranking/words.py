"""What a ranking shows, in plain sentences."""

import math

from evaluate.ranking.analysis import Analysis, Verdict
from evaluate.ranking.questions import FIDELITY, QUALITY
from evaluate.ranking.raters import CHANCE, Rater

ENOUGH = 0.667  # alpha from which Krippendorff (Content Analysis, 2004) allows tentative conclusions


def headline(analysis: Analysis) -> str:
    """The answer to the question of fidelity."""
    return judged(analysis, next(verdict for verdict in analysis.verdicts if verdict.question == FIDELITY))


def sentences(analysis: Analysis) -> list[str]:
    """What else there is to say, quality first."""
    said = [judged(analysis, verdict) for verdict in analysis.verdicts if verdict.question == QUALITY]
    said.append(agreed(analysis))
    said.append(measured(analysis))
    if len(analysis.raters) == 1:
        said.append("One person ranked: no interval here says what another would have answered.")
    return said


def judged(analysis: Analysis, verdict: Verdict) -> str:
    """Which run is first by one question, and whether it can be told from the second."""
    first, second = verdict.order[:2]
    names, ahead = [run.name for run in analysis.key.runs], verdict.ahead
    asked = "quality" if verdict.question == QUALITY else f"fidelity to the {analysis.key.condition} condition"
    points = f"{verdict.average[first].value:.2f} of {len(names)} points and {verdict.average[second].value:.2f}"
    gap = f"{ahead.value:.2f} points apart (95% interval {ahead.low:.2f} to {ahead.high:.2f})"
    if not math.isfinite(ahead.low) or ahead.low <= 0:
        return f"By {asked}, {names[first]} can't be told from {names[second]}: {points}, {gap}."
    return f"By {asked}, people rank {names[first]} before {names[second]}: {points}, {gap}."


def agreed(analysis: Analysis) -> str:
    """Whether raters agree with each other."""
    alphas = {verdict.question: verdict.agreement.value for verdict in analysis.verdicts}
    if not all(map(math.isfinite, alphas.values())):
        return "Whether people agree can't be told: no two ranked the same sample, or all ranks are tied."
    said = " and ".join(f"{value:.2f} in {question}" for question, value in alphas.items())
    enough = "enough for tentative conclusions" if min(alphas.values()) >= ENOUGH else "less than is asked of raters"
    return f"Krippendorff's alpha of the raters is {said}: {enough} (from {ENOUGH} on)."


def measured(analysis: Analysis) -> str:
    """Whether the primary measure orders pictures as people do."""
    found, title = analysis.correlation, analysis.key.measure.title
    if not found.samples:
        return f"Of no sample ranked does {title} tell the pictures apart, so that it can't be held against people."
    own = found.measure
    told = f"rank correlation {own.value:.2f} (95% interval {own.low:.2f} to {own.high:.2f}) with one person"
    if math.isfinite(found.people):
        told += f", where two people have {found.people:.2f} with each other"
    told += f"; {found.samples} of {found.of} samples"
    if own.low > 0:
        return f"Within samples {title} orders the pictures as people do by fidelity: {told}."
    if own.high < 0:
        return f"Within samples {title} orders the pictures against people's fidelity: {told}."
    return f"Whether {title} orders the pictures as people do can't be told: {told}."


def tiered(analysis: Analysis, verdict: Verdict) -> str:
    """Which strengths the votes leave open; nothing where they link all runs."""
    if len(verdict.tiers) == 1:
        return ""
    names = [run.name for run in analysis.key.runs]
    groups = "; then ".join(", ".join(names[run] for run in runs) for runs in verdict.tiers)
    return (
        f"No vote puts a run above one of a group before it: {groups}. How far apart these groups are is not in the "
        "votes: their strengths rest on the one tie that is added to each pair."
    )


def unsteady(raters: tuple[Rater, ...]) -> list[str]:
    """Names of raters who agree with themselves no better than by chance."""
    return [rater.name for rater in raters if rater.itself is not None and rater.itself <= CHANCE]
