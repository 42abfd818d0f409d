"""The report of a study: one HTML file that sets the sizes side by side, and the same as JSON and Markdown."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluate.examples import EXAMPLES, Example, examples, scores_of_runs
from evaluate.gallery import random_keys
from evaluate.plot import Along, Point, curve
from evaluate.render import cell, count, number, numbers, render, with_interval
from evaluate.scaling import Scaling
from evaluate.statistics import LEVEL, REPLICATES, Interval
from evaluate.study import Comparison, headline, pairs_in_words
from manifests.storage import replace_text


def write_study_report(comparison: Comparison, folder: Path) -> Path:
    """Write report.html, report.json and report.md of a study; returns the HTML file."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(json.dumps(as_json(comparison), indent=2, sort_keys=True) + "\n", folder / "report.json")
    replace_text(as_markdown(comparison), folder / "report.md")
    replace_text(as_html(comparison), folder / "report.html")
    return folder / "report.html"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """All numbers, without pictures."""
    return {
        "name": comparison.name,
        "headline": headline(comparison),
        "protocol_fingerprint": comparison.protocol.fingerprint,
        "protocol": asdict(comparison.protocol),
        "measure": asdict(comparison.measure),
        "samples": comparison.samples,
        "bootstrap": {"replicates": REPLICATES, "level": LEVEL, "over": "samples"},
        "floor": numbers(comparison.floor),
        "ceiling": numbers(comparison.ceiling),
        "gain": numbers(comparison.gain),
        "scaling": comparison.scaling and _scaling(comparison.scaling),
        "sizes": [
            {
                "rows": size.spec.rows,
                "steps": size.spec.steps,
                "epochs": size.epochs,
                "run": size.spec.run,
                "evaluation_fingerprint": size.spec.fingerprint,
                "subset_fingerprint": size.spec.subset_fingerprint,
                "controlnet_sha256": size.spec.controlnet_sha256,
                "score": numbers(size.score),
                "normalised": numbers(size.normalised),
                "gain": numbers(size.gain) if size.gain else None,
                "gain_per_doubling": numbers(size.gain_per_doubling) if size.gain_per_doubling else None,
            }
            for size in comparison.sizes
        ],
    }


def _scaling(scaling: Scaling) -> dict[str, Any]:
    return {
        "pairs": pairs_in_words(scaling),
        "between_runs": scaling.between_runs,
        "forms": {
            fit.form.name: {
                "aicc": fit.aicc if math.isfinite(fit.aicc) else None,
                "parameters": [numbers(value) for value in fit.parameters],
            }
            for fit in scaling.fits
        },
    }


def as_markdown(comparison: Comparison) -> str:
    """A table to paste elsewhere."""
    rows = "".join(
        f"| {count(size.spec.rows)} | {size.epochs:.1f} | {number(comparison.floor)} | {with_interval(size.score)} | "
        f"{number(comparison.ceiling)} | {with_interval(size.normalised)} | "
        f"{_difference(size.gain)} | {_difference(size.gain_per_doubling)} |\n"
        for size in comparison.sizes
    )
    return (
        f"# {cell(comparison.name)}\n\n{headline(comparison)}\n\n"
        f"| rows | epochs | floor | {comparison.measure.name} | ceiling | normalised | gain | per doubling of rows |\n"
        f"|---:|---:|---:|---:|---:|---:|---:|---:|\n{rows}\n"
        f"{f'{pairs_in_words(comparison.scaling)} ' if comparison.scaling else ''}"
        f"{comparison.samples} test samples; brackets are 95% intervals of a bootstrap over samples; gains are paired. "
        f"One training per size. Protocol {comparison.protocol.fingerprint}.\n"
    )


def _difference(gain: Interval | None) -> str:
    return with_interval(gain, sign="+") if gain else ""


def as_html(comparison: Comparison) -> str:
    """The page."""
    points = [Point(size.spec.rows, size.score, count(size.spec.rows)) for size in comparison.sizes]
    unit = comparison.measure.title
    return render(
        "study.html.j2",
        comparison=comparison,
        headline=headline(comparison),
        plot=curve(
            points,
            floor={point.x: comparison.floor.value for point in points},
            ceiling={point.x: comparison.ceiling.value for point in points},
            along=Along("training rows (logarithmic)", logarithmic=True),
            unit=unit,
        ),
        pairs=pairs_in_words(comparison.scaling) if comparison.scaling else "",
        examples=_examples(comparison),
    )


def _examples(comparison: Comparison) -> tuple[Example, ...]:
    """The same samples at every size, chosen by the hash of their keys."""
    folders, measure = [size.folder for size in comparison.sizes], comparison.measure.name
    keys, _ = scores_of_runs(folders, measure=measure)
    return examples(folders, random_keys(keys, EXAMPLES), measure=measure)
