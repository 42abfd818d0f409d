"""The report of one run: one HTML file that needs nothing else, and the same numbers as JSON and Markdown."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluate.adherence import ADHERENCE
from evaluate.anchors import ARMS, CEILING, CONTROLLED, FLOOR
from evaluate.gallery import SHOWN, galleries
from evaluate.plot import COLOURS, distributions
from evaluate.scores import matrix, read_scores
from evaluate.spec import Spec, read_spec
from evaluate.statistics import LEVEL, REPLICATES, Interval
from evaluate.summary import Line, Summary, summarise, verdict

SCORES_FILE, PICTURES_FOLDER = "scores.parquet", "pictures"
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
    summary = summarise(scores, ADHERENCE[spec.protocol.annotator], asked=spec.asked)
    _write(folder / "report.json", json.dumps(as_json(spec, summary), indent=2, sort_keys=True) + "\n")
    _write(folder / "report.md", as_markdown(spec, summary))
    _write(folder / "report.html", as_html(spec, summary, scores, folder / PICTURES_FOLDER))
    return folder / "report.html"


def as_json(spec: Spec, summary: Summary) -> dict[str, Any]:
    """The whole report without its pictures; an undefined number is null."""
    return {
        "headline": verdict(summary, condition=spec.protocol.condition),
        "fingerprint": spec.fingerprint,
        "protocol_fingerprint": spec.protocol.fingerprint,
        "spec": asdict(spec),
        "samples": summary.samples,
        "asked": summary.asked,
        "draws": summary.draws,
        "bootstrap": {"replicates": REPLICATES, "level": LEVEL, "over": "samples"},
        "measures": {
            line.measure.name: {
                "primary": line.measure.primary,
                "unit": line.measure.unit,
                "higher_is_better": line.measure.higher_is_better,
                "arms": {arm: _numbers(value) for arm, value in line.arms.items()},
                "normalised": _numbers(line.normalised),
            }
            for line in summary.lines
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
        f"# {_cell(spec.run)}: {_cell(spec.protocol.condition)} adherence\n\n"
        f"{verdict(summary, condition=spec.protocol.condition)}\n\n{head}{rows}\n"
        f"{coverage(summary)} Normalised: 0 is control off, 1 is the real picture through the autoencoder. "
        f"Brackets are 95% intervals of a bootstrap over samples ({REPLICATES} replicates). "
        f"Evaluation {spec.fingerprint}, protocol {spec.protocol.fingerprint}.\n"
    )


def as_html(spec: Spec, summary: Summary, scores: pa.Table, pictures: Path) -> str:
    """The page."""
    primary = summary.primary
    shown = [FLOOR, CONTROLLED, CEILING]
    _, values = matrix(scores, measure=primary.measure.name, arms=shown)
    plot = distributions(
        {arm: values[:, place] for place, arm in enumerate(shown)},
        {arm: primary.arms[arm] for arm in shown},
        unit=f"{primary.measure.name} of one picture",
    )
    return render(
        "report.html.j2",
        spec=spec,
        summary=summary,
        headline=verdict(summary, condition=spec.protocol.condition),
        coverage=coverage(summary),
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


def render(template: str, **context: Any) -> str:
    """Fill a template of this folder; every value is escaped, and an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "span": span, "with_interval": with_interval, "percent": percent}
    return environment.get_template(template).render(colours=COLOURS, replicates=f"{REPLICATES:,}", **context)


def coverage(summary: Summary) -> str:
    """How many of the samples asked for were scored, and why not all."""
    draws = f", {summary.draws} pictures each" if summary.draws > 1 else ""
    if summary.samples == summary.asked:
        return f"{summary.samples} test samples{draws}, all scored."
    return f"{summary.samples} of {summary.asked} test samples{draws}; the rest asks for nothing (empty at this crop)."


def number(value: Interval) -> str:
    """Three digits, or a dash where it is undefined."""
    return f"{value.value:.3f}" if math.isfinite(value.value) else "–"


def span(value: Interval) -> str:
    """The interval in brackets."""
    return f"[{value.low:.3f}, {value.high:.3f}]" if math.isfinite(value.value) else ""


def with_interval(value: Interval) -> str:
    """Value and interval, two digits."""
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]" if math.isfinite(value.value) else "–"


def percent(value: float) -> str:
    """A share as a percentage without digits."""
    return f"{100 * value:.0f}" if math.isfinite(value) else "–"


def _name(line: Line) -> str:
    return f"**{line.measure.name}**" if line.measure.primary else line.measure.name


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _numbers(value: Interval) -> dict[str, float | None]:
    return {name: number if math.isfinite(number) else None for name, number in asdict(value).items()}


def _write(path: Path, text: str) -> None:
    aside = path.with_name(path.name + ".partial")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
