"""The report of one run: one HTML file that needs nothing else, and the same numbers as JSON and Markdown."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluate.cnpp.summary import Summary as Published
from evaluate.page.render import numbers
from evaluate.page.written import write_pages
from evaluate.pictures import PICTURES_FOLDER
from evaluate.report.findings import Findings, read_findings
from evaluate.report.markdown import as_markdown
from evaluate.report.page import as_html
from evaluate.report.summary import verdict
from evaluate.statistics import LEVEL, REPLICATES
from manifests.storage import replace_text
from train.interchange.measured import of_evaluation
from train.interchange.model_card import adherence_lines


def write_report(folder: Path) -> Path:
    """Write report.html, report.json, report.md and card.md, a block for a model card, from what an evaluation left.

    Args:
        folder: holds spec.json, scores.parquet and pictures/.

    Returns:
        The HTML file.
    """
    findings = read_findings(folder)
    said = as_json(findings)
    replace_text("\n".join(adherence_lines(of_evaluation(said))), folder / "card.md")
    page = as_html(findings, folder / PICTURES_FOLDER)
    return write_pages(folder, said, markdown=as_markdown(findings), page=page)


def as_json(findings: Findings) -> dict[str, Any]:
    """The whole report without its pictures; an undefined number is null."""
    spec, summary = findings.spec, findings.summary
    return {
        "headline": verdict(summary, condition=spec.protocol.condition, method=spec.protocol.method),
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
        **_looks(findings),
    }


def _looks(findings: Findings) -> dict[str, Any]:
    """What strata and later looks found."""
    truth = findings.summary.truth
    return {
        "truth": truth
        and {
            "samples": truth.samples,
            "family": next(iter(findings.spec.protocol.truth), ""),
            "measures": {
                line.measure.name: {arm: numbers(value) for arm, value in line.arms.items()} for line in truth.lines
            },
        },
        "course": findings.course and findings.course.said,
        "strata": {
            each.trait: [
                {"name": one.name, "samples": one.samples}
                | {"controlled": numbers(one.controlled), "normalised": numbers(one.share)}
                for one in each.strata
            ]
            for each in findings.strata
        },
        "annotators": {
            each.family: {"measure": each.measure.name, "samples": each.samples, "normalised": numbers(each.share)}
            | {"overfit": each.overfit and numbers(each.overfit)}
            for each in findings.judged
        },
        "cnpp": findings.published and _published(findings.published),
        "quality": {
            line.name: {"arms": {arm: numbers(value) for arm, value in line.numbers.arms.items()}}
            | {"samples": line.numbers.samples, "notes": list(line.numbers.notes)}
            for line in findings.quality
        },
    }


def _published(found: Published) -> dict[str, Any]:
    return {
        "measure": found.measure.name,
        "factor": found.factor,
        "arms": {arm: numbers(value) for arm, value in found.arms.items()},
        "published": [
            {"method": each.published.method, "value": each.published.value, "why_not": list(each.why_not)}
            for each in found.beside
        ],
    }
