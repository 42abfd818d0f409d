"""A report as one page: it needs no other file and no network, and its script only helps to look around."""

from pathlib import Path

from markupsafe import Markup

from annotate.registry import ANNOTATORS
from evaluate.anchors import ARMS, SPAN
from evaluate.page.plot import course, distributions
from evaluate.page.render import render
from evaluate.report.course import ControlCourse
from evaluate.report.error_map import legend
from evaluate.report.every_sample import as_script, every_sample, read_script
from evaluate.report.findings import Findings
from evaluate.report.gallery import SHOWN, galleries
from evaluate.report.markdown import coverage, found_among
from evaluate.report.method import made_how
from evaluate.report.summary import verdict
from evaluate.scores import matrix

SCRIPT = Path(__file__).with_name("report.js")
PANEL_TITLES = {
    "condition": "condition asked for",
    "real": "real picture",
    "drawn": "drawn",
    "reannotated": "drawn, re-annotated",
    "error": "difference",
    "floor": "control off",
}


def as_html(findings: Findings, pictures: Path) -> str:
    """The page.

    Args:
        pictures: folder of the pictures' Parquet files.
    """
    spec, summary, scores = findings.spec, findings.summary, findings.scores
    primary, annotator = summary.primary, spec.protocol.annotator
    shown = list(SPAN)
    _, values = matrix(scores, measure=primary.measure.name, arms=shown)
    samples = every_sample(scores, findings.traits, pictures, annotator=annotator)
    script, digest = read_script(SCRIPT)
    kind = ANNOTATORS[annotator].kind
    return render(
        "report/report.html.j2",
        findings=findings,
        spec=spec,
        summary=summary,
        headline=verdict(summary, condition=spec.protocol.condition, method=spec.protocol.method),
        coverage=coverage(spec, summary),
        made_how=made_how(spec.protocol),
        found_among=found_among(summary),
        arms=ARMS,
        plot=distributions(
            {arm: values[:, place] for place, arm in enumerate(shown)},
            {arm: primary.arms[arm] for arm in shown},
            unit=f"{primary.measure.title}, of one sample",
        ),
        galleries=galleries(scores, pictures, measure=primary.measure, kind=kind),
        panels={panel: PANEL_TITLES[panel] for panel in SHOWN},
        legend=legend(kind),
        course=findings.course and _course(findings.course),
        samples=as_script(samples),
        script=script,
        digest=digest,
    )


def _course(seen: ControlCourse) -> Markup:
    lines = {"the true hint against another row's": seen.hint, "the control against none": seen.gain}
    return course(seen.steps, lines, unit="loss saved")
