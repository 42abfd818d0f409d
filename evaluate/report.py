"""The report of one run: one HTML file that needs nothing else, and the same numbers as JSON and Markdown."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from evaluate.adherence import ADHERENCE
from evaluate.anchors import ARMS, CEILING, CONTROLLED, FLOOR
from evaluate.gallery import SHOWN, galleries
from evaluate.pictures import PICTURES_FOLDER
from evaluate.plot import distributions
from evaluate.render import cell, code, count, number, numbers, render, with_interval
from evaluate.scores import SCORES_FILE, matrix, read_scores
from evaluate.spec import Spec, read_spec
from evaluate.statistics import LEVEL, REPLICATES
from evaluate.summary import Line, Summary, summarise, verdict
from manifests.account import Account
from manifests.storage import replace_text

PANEL_TITLES = {
    "condition": "condition asked for",
    "real": "real picture",
    "drawn": "drawn",
    "reannotated": "drawn, re-annotated",
    "floor": "control off",
    "ceiling": "through the autoencoder",
}


def write_report(folder: Path) -> Path:
    """Write report.html, report.json and report.md from the scores of an evaluation.

    Args:
        folder: holds spec.json, scores.parquet and pictures/.

    Returns:
        The HTML file.
    """
    spec, scores = read_spec(folder), read_scores(folder / SCORES_FILE)
    summary = summarise(scores, ADHERENCE[spec.protocol.annotator])
    replace_text(json.dumps(as_json(spec, summary), indent=2, sort_keys=True) + "\n", folder / "report.json")
    replace_text(as_markdown(spec, summary), folder / "report.md")
    replace_text(as_html(spec, summary, scores, folder / PICTURES_FOLDER), folder / "report.html")
    return folder / "report.html"


def as_json(spec: Spec, summary: Summary) -> dict[str, Any]:
    """The whole report without its pictures; an undefined number is null."""
    return {
        "headline": verdict(summary, condition=spec.protocol.condition),
        "fingerprint": spec.fingerprint,
        "protocol_fingerprint": spec.protocol.fingerprint,
        "spec": asdict(spec),
        "samples": summary.samples,
        "asked": spec.asked,
        "draws": summary.draws,
        "bootstrap": {"replicates": REPLICATES, "level": LEVEL, "over": "samples"},
        "measures": {
            line.measure.name: {
                "title": line.measure.title,
                "primary": line.measure.primary,
                "unit": line.measure.unit,
                "higher_is_better": line.measure.higher_is_better,
                "arms": {arm: numbers(value) for arm, value in line.arms.items()},
                "normalised": numbers(line.normalised),
            }
            for line in summary.lines
        },
        "retrieval": summary.retrieval
        and {
            "chance": summary.retrieval.chance,
            "arms": {arm: numbers(value) for arm, value in summary.retrieval.arms.items()},
        },
    }


def as_markdown(spec: Spec, summary: Summary) -> str:
    """A table to paste into an issue or a model card."""
    arms = list(summary.lines[0].arms)
    head = f"| measure | {' | '.join(arms)} | normalised |\n|---|{'---:|' * (len(arms) + 1)}\n"
    rows = "".join(
        f"| {_name(line)} | {' | '.join(number(line.arms[arm]) for arm in arms)} | {with_interval(line.normalised)} |\n"
        for line in summary.lines
    )
    return (
        f"# {cell(spec.run)}: {cell(spec.protocol.condition)} adherence\n\n"
        f"{verdict(summary, condition=spec.protocol.condition)}\n\n{head}{rows}\n"
        f"{coverage(spec, summary)} Normalised: 0 is control off, 1 is the real picture through the autoencoder. "
        f"Brackets are 95% intervals of a bootstrap over samples ({REPLICATES} replicates). "
        f"{found_among(summary)}Evaluation {spec.fingerprint}, protocol {spec.protocol.fingerprint}.\n"
        f"{account_as_markdown(spec.account) if spec.account else ''}"
    )


def found_among(summary: Summary) -> str:
    """How often the condition asked for was told from others, in a sentence; "" where there are no others."""
    if summary.retrieval is None:
        return ""
    percent = {arm: f"{100 * value.value:.0f}%" for arm, value in summary.retrieval.arms.items()}
    chance = summary.retrieval.chance
    return (
        f"Among {round(1 / chance)} conditions the one asked for is likest in {percent[CONTROLLED]} of the pictures "
        f"({percent[FLOOR]} with the control off, {percent[CEILING]} at the ceiling; chance {100 * chance:.0f}%). "
    )


def account_as_markdown(account: Account) -> str:
    """Which rows were drawn, and why each of the others was not."""
    lines = [f"| all rows of the dataset | {count(account.rows)} |"]
    for out in account.kept_out:
        lines.append(f"| kept out: {cell(out.said)} | −{count(out.rows)} |")
        if out.reason == "where":
            lines += [
                f"| · of {count(account.judged)}, {code(part.text)} {account.effect(part)} | |"
                for part in account.conjuncts
            ]
    lines.append(f"| **drawn** | **{count(account.drawn)}** |")
    if account.wordless:
        lines.append(f"| · of these without words: their caption is empty | {count(account.wordless)} |")
    return "\n## Which rows it was trained on\n\n| | rows |\n|---|---:|\n" + "\n".join(lines) + "\n"


def as_html(spec: Spec, summary: Summary, scores: pa.Table, pictures: Path) -> str:
    """The page."""
    primary = summary.primary
    shown = [FLOOR, CONTROLLED, CEILING]
    _, values = matrix(scores, measure=primary.measure.name, arms=shown)
    plot = distributions(
        {arm: values[:, place] for place, arm in enumerate(shown)},
        {arm: primary.arms[arm] for arm in shown},
        unit=f"{primary.measure.title}, of one picture",
    )
    return render(
        "report.html.j2",
        spec=spec,
        summary=summary,
        headline=verdict(summary, condition=spec.protocol.condition),
        coverage=coverage(spec, summary),
        found_among=found_among(summary),
        arms=ARMS,
        plot=plot,
        galleries=galleries(
            scores,
            pictures,
            measure=primary.measure.name,
            higher_is_better=primary.measure.higher_is_better,
        ),
        panels={panel: PANEL_TITLES[panel] for panel in SHOWN},
    )


def coverage(spec: Spec, summary: Summary) -> str:
    """How many of the samples asked for were scored, and why not all."""
    draws = f", {summary.draws} pictures each" if summary.draws > 1 else ""
    wanted = spec.protocol.settings["samples"]
    short = f" {wanted} were wanted: the test split has no more." if spec.asked < wanted else ""
    if summary.samples == spec.asked:
        return f"{summary.samples} test samples{draws}, all scored.{short}"
    empty = "the rest asks for nothing (empty at this crop)"
    return f"{summary.samples} of {spec.asked} test samples{draws}; {empty}.{short}"


def _name(line: Line) -> str:
    return f"**{line.measure.name}**" if line.measure.primary else line.measure.name
