"""The report of a ranking: one HTML file, and the same numbers as JSON and Markdown."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluate.page.plot import forest
from evaluate.page.render import cell, numbers, percent, render, with_interval
from evaluate.page.written import write_pages
from evaluate.ranking.analysis import Analysis, Verdict
from evaluate.ranking.bradley_terry import GHOST
from evaluate.ranking.raters import CHANCE
from evaluate.ranking.words import headline, sentences, tiered, unsteady
from evaluate.statistics import LEVEL, REPLICATES


def write_ranking(analysis: Analysis, folder: Path) -> Path:
    """Write report.html, report.json and report.md; returns the HTML file."""
    return write_pages(folder, as_json(analysis), markdown=as_markdown(analysis), page=as_html(analysis))


def as_json(analysis: Analysis) -> dict[str, Any]:
    """All numbers; an undefined one is null."""
    key, found = analysis.key, analysis.correlation
    return {
        "headline": headline(analysis),
        "sentences": sentences(analysis),
        "page": key.page,
        "condition": key.condition,
        "protocol_fingerprint": key.protocol_fingerprint,
        "samples": len(key.samples),
        "runs": [run.model_dump() for run in key.runs],
        "bootstrap": {"replicates": REPLICATES, "level": LEVEL, "over": "raters and samples; agreement: samples"},
        "average_user_ranking": {"least": 1, "greatest": len(key.runs), "higher_is_better": True},
        "bradley_terry": {"unit": "log-odds against the mean run", "ghost_ties_per_pair": GHOST},
        "raters": [asdict(rater) for rater in analysis.raters],
        "questions": {verdict.question: _verdict(analysis, verdict) for verdict in analysis.verdicts},
        "measure": {
            **key.measure.model_dump(),
            "spearman": numbers(found.measure),
            "spearman_of_people": found.people if math.isfinite(found.people) else None,
            "samples": found.samples,
            "samples_ranked": found.of,
        },
    }


def _verdict(analysis: Analysis, verdict: Verdict) -> dict[str, Any]:
    names = [run.name for run in analysis.key.runs]
    return {
        "answers": verdict.answers,
        "answers_with_ties": verdict.ties,
        "average_user_ranking": [numbers(value) for value in verdict.average],
        "strength": [numbers(value) for value in verdict.strength],
        "share_above": verdict.above.tolist(),
        "tiers": [[names[run] for run in runs] for runs in verdict.tiers],
        "krippendorff_alpha": numbers(verdict.agreement),
        "first_ahead_of_second": numbers(verdict.ahead),
    }


def as_markdown(analysis: Analysis) -> str:
    """Tables to paste elsewhere."""
    said = "".join(f"- {cell(sentence)}\n" for sentence in sentences(analysis))
    tables = "".join(_table(analysis, verdict) for verdict in analysis.verdicts)
    raters = "".join(
        f"| {cell(rater.name)} | {rater.answers} of {rater.asked} | {rater.seconds:.0f} | "
        f"{'–' if rater.itself is None else percent(rater.itself)} |\n"
        for rater in analysis.raters
    )
    return (
        f"# {cell(headline(analysis))}\n\n{said}\n{tables}"
        "| rater | answers | seconds, median | agrees with themselves, % of pairs |\n|---|---:|---:|---:|\n"
        f"{raters}\nAverage user ranking: 1 to {len(analysis.key.runs)}, higher is better. Strength: Bradley-Terry, "
        "log-odds against the mean run, one tie added to each pair. Brackets: 95% intervals of a bootstrap over raters "
        f"and samples both; of alpha over samples. Page {analysis.key.page}.\n"
    )


def _table(analysis: Analysis, verdict: Verdict) -> str:
    ties = f", {verdict.ties} with ties" if verdict.ties else ""
    head = f"**{verdict.question}**: {verdict.answers} answers{ties}; alpha {with_interval(verdict.agreement)}.\n\n"
    lines = "".join(
        f"| {cell(analysis.key.runs[run].name)} | {with_interval(verdict.average[run])} | "
        f"{with_interval(verdict.strength[run], sign='+')} |\n"
        for run in verdict.order
    )
    said = tiered(analysis, verdict)
    note = f"{cell(said)}\n\n" if said else ""
    return f"{head}| run | average user ranking | strength |\n|---|---:|---:|\n{lines}\n{note}"


def as_html(analysis: Analysis) -> str:
    """The page."""
    return render(
        "ranking/report.html.j2",
        analysis=analysis,
        names=[run.name for run in analysis.key.runs],
        headline=headline(analysis),
        sentences=sentences(analysis),
        parts=[(verdict, _plot(analysis, verdict), tiered(analysis, verdict)) for verdict in analysis.verdicts],
        unsteady=unsteady(analysis.raters),
        chance=CHANCE,
    )


def _plot(analysis: Analysis, verdict: Verdict) -> Markup:
    return forest(
        [analysis.key.runs[run].name for run in verdict.order],
        [verdict.average[run] for run in verdict.order],
        anchors={},
        unit=f"average user ranking, {len(analysis.key.runs)} is best",
    )
