"""The report of a study: every way of training side by side, on one page, and the same numbers as JSON and Markdown."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluate.page.render import numbers
from evaluate.page.svg import alone
from evaluate.page.written import write_pages
from evaluate.statistics import LEVEL
from evaluate.studies.lineage import Lineage, packages
from evaluate.studies.markdown import as_markdown
from evaluate.studies.page import as_html, plots
from evaluate.studies.scaling import Scaling
from evaluate.studies.ways import RESAMPLES, Compared, Grid, Way
from evaluate.studies.words import headline, pairs_in_words, verdicts
from manifests.storage import replace_text


def write_grid_report(grid: Grid, folder: Path) -> Path:
    """Write report.html, report.json and report.md of a study; returns the HTML file."""
    return write_pages(folder, as_json(grid), markdown=as_markdown(grid), page=as_html(grid))


def publish(grid: Grid, folder: Path) -> Path:
    """Write the compact form that is kept in a repository: NAME.md with its figures NAME-N.svg, and NAME.json.

    Returns:
        The Markdown file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {f"{grid.name}-{number}.svg": drawn for number, drawn in enumerate(plots(grid).items())}
    for name, (_, drawing) in figures.items():
        replace_text(alone(drawing), folder / name)
    replace_text(json.dumps(as_json(grid), indent=2, sort_keys=True) + "\n", folder / f"{grid.name}.json")
    captions = {name: words for name, (words, _) in figures.items()}
    replace_text(as_markdown(grid, figures=captions), folder / f"{grid.name}.md")
    return folder / f"{grid.name}.md"


def as_json(grid: Grid) -> dict[str, Any]:
    """All numbers, without pictures."""
    return {
        "name": grid.name,
        "headline": headline(grid),
        "verdicts": verdicts(grid),
        "protocol_fingerprint": grid.protocol.fingerprint,
        "protocol": asdict(grid.protocol),
        "versions": packages(grid.lineages),
        "trainings": [_lineage(lineage) for lineage in grid.lineages],
        "bootstrap": {"replicates": RESAMPLES, "level": LEVEL, "over": "samples, and trainings where repeated"},
        "between_runs": grid.between_runs,
        "behind_the_furthest": [way.name for way in grid.behind],
        "compared": [_compared(compared) for compared in grid.compared],
        "ways": [_way(way) for way in grid.ways],
        "scaling": {words: _scaling(scaling) for words, scaling in grid.scaling.items()},
        "failed": dict(grid.failed),
    }


def _lineage(lineage: Lineage) -> dict[str, Any]:
    said = asdict(lineage)
    del said["versions"]  # once for all
    return said


def _way(way: Way) -> dict[str, Any]:
    return {
        "labels": dict(way.labels),
        "condition": way.condition,
        "trainings": way.runs,
        "samples": way.samples,
        "measure": way.measure.name,
        "floor": numbers(way.floor),
        "ceiling": numbers(way.ceiling),
        "score": numbers(way.score),
        "normalised": numbers(way.share),
        "appeared_at_steps": list(way.appeared),
        "worst_look": way.worst and {"step": way.worst.step, "worth": numbers(way.worst.worth)},
        "cost": asdict(way.cost),
    }


def _compared(compared: Compared) -> dict[str, Any]:
    return {
        "way": compared.way.name,
        "beside": compared.beside.name,
        "difference": numbers(compared.difference),
        "p": compared.p,
        "told_apart": compared.told,
        "one_training_each": compared.single,
    }


def _scaling(scaling: Scaling) -> dict[str, Any]:
    return {
        "pairs": pairs_in_words(scaling),
        "per_doubling": [numbers(value) for value in scaling.per_doubling],
        "forms": {
            fit.form.name: {
                "aicc": fit.aicc if math.isfinite(fit.aicc) else None,
                "parameters": [numbers(value) for value in fit.parameters],
            }
            for fit in scaling.fits
        },
    }
