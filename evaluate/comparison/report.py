"""The report of a comparison: one HTML file that sets runs side by side, and the same numbers as JSON and Markdown."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluate.comparison.compare import Comparison, Contrast, Entry, Row
from evaluate.page.plot import forest
from evaluate.page.render import cell, number, numbers, render, with_interval
from evaluate.page.written import write_pages
from evaluate.report.cross import matrix_of
from evaluate.report.examples import EXAMPLES, Example, examples, scores_of_runs
from evaluate.report.gallery import random_keys
from evaluate.statistics import LEVEL, REPLICATES


@dataclass(frozen=True)
class Gallery:
    """Samples chosen by one rule."""

    title: str
    rule: str
    examples: tuple[Example, ...]


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write report.html, report.json and report.md of a comparison; returns the HTML file."""
    return write_pages(folder, as_json(comparison), markdown=as_markdown(comparison), page=as_html(comparison))


def in_words(comparison: Comparison) -> list[str]:
    """What the primary measure says of each run but the first, in a sentence each."""
    row, names = comparison.primary, comparison.names
    return [
        f"{name} {_judged(comparison, row, entry.contrast, beside=names[0])}"
        for name, entry in zip(names[1:], row.entries[1:], strict=True)
        if entry.contrast
    ]


def _judged(comparison: Comparison, row: Row, contrast: Contrast, *, beside: str) -> str:
    far = contrast.further
    points = f"{100 * far.value:+.0f} points of the way (95% interval {100 * far.low:+.0f} to {100 * far.high:+.0f})"
    if not math.isfinite(far.low):  # no way from floor to ceiling, or one sample
        points = f"{with_interval(contrast.difference, sign='+')} in {row.measure.title}"
    if contrast.told:
        better = (contrast.difference.value > 0) == row.measure.higher_is_better
        return f"obeys {'better' if better else 'less'} than {beside}: {points}, {p_value(contrast.corrected)}."
    return (
        f"can't be told from {beside} by {comparison.samples} samples: {points}. They would find a true difference of "
        f"{contrast.detectable:.3f} in {row.measure.title} four times in five, corrected alike."
    )


def p_value(value: float) -> str:
    """A corrected p in words."""
    return "p below 0.001" if value < 0.001 else f"p {value:.3f}"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """All numbers, without pictures."""
    return {
        "headline": in_words(comparison),
        "protocol_fingerprint": comparison.protocol.fingerprint,
        "protocol": asdict(comparison.protocol),
        "samples": comparison.samples,
        "draws": comparison.draws,
        "bootstrap": {"replicates": REPLICATES, "level": LEVEL, "over": "samples"},
        "test": {"kind": "runs exchanged within samples", "replicates": comparison.exchanges, "correction": "Holm"},
        "runs": [
            {"run": spec.run, "rows": spec.rows, "steps": spec.steps, "fingerprint": spec.fingerprint}
            for spec in comparison.specs
        ],
        "measures": {
            row.measure.name: {
                "title": row.measure.title,
                "primary": row.measure.primary,
                "unit": row.measure.unit,
                "higher_is_better": row.measure.higher_is_better,
                "floor": numbers(row.floor),
                "ceiling": numbers(row.ceiling),
                "seeds_alone": row.seeds,
                "runs": [_entry(entry) for entry in row.entries],
            }
            for row in comparison.rows
        },
    }


def _entry(entry: Entry) -> dict[str, Any]:
    said: dict[str, Any] = {"score": numbers(entry.score), "normalised": numbers(entry.normalised)}
    if entry.contrast:
        said |= {
            "difference": numbers(entry.contrast.difference),
            "further": numbers(entry.contrast.further),
            "p": entry.contrast.p,
            "p_corrected": entry.contrast.corrected,
            "detectable": entry.contrast.detectable,
        }
    return said


def as_markdown(comparison: Comparison) -> str:
    """Tables to paste elsewhere."""
    sentences = "".join(f"- {cell(sentence)}\n" for sentence in in_words(comparison))
    tables = "".join(_table(comparison, row) for row in comparison.rows)
    return (
        f"# {cell(comparison.protocol.condition)} adherence of {len(comparison.specs)} runs\n\n{sentences}\n{tables}"
        f"{comparison.samples} test samples, drawn from the same noise by every run. Brackets are 95% intervals of a "
        f"bootstrap over samples; differences are paired, p is of exchanging runs within samples, after Holm's "
        f"correction over all of this page. Protocol {comparison.protocol.fingerprint}.\n"
    )


def _table(comparison: Comparison, row: Row) -> str:
    head = "| run | score | normalised | difference | p | detectable |\n|---|---:|---:|---:|---:|---:|\n"
    lines = ""
    for name, entry in zip(comparison.names, row.entries, strict=True):
        cells = ["", "", ""]
        if entry.contrast:
            told = with_interval(entry.contrast.difference, sign="+")
            cells = [told, p_value(entry.contrast.corrected)[2:], f"{entry.contrast.detectable:.3f}"]
        lines += f"| {cell(name)} | {with_interval(entry.score)} | {with_interval(entry.normalised)} | "
        lines += f"{' | '.join(cells)} |\n"
    seeds = f" Seeds alone: {row.seeds:.3f}." if row.seeds is not None else ""
    anchors = f"floor {number(row.floor)}, ceiling {number(row.ceiling)}.{seeds}"
    return f"**{row.measure.name}**, {row.measure.title}: {anchors}\n\n{head}{lines}\n"


def as_html(comparison: Comparison) -> str:
    """The page."""
    row = comparison.primary
    judges, words = matrix_of(comparison.folders)
    plot = forest(
        comparison.names,
        [entry.score for entry in row.entries],
        anchors={"floor": row.floor.value, "ceiling": row.ceiling.value},
        unit=row.measure.title,
    )
    return render(
        "comparison/compare.html.j2",
        comparison=comparison,
        sentences=in_words(comparison),
        plot=plot,
        judges=judges,
        words=words,
        galleries=_galleries(comparison),
    )


def _galleries(comparison: Comparison) -> list[Gallery]:
    """Samples that every run drew: at random, and those on which the runs are farthest apart."""
    measure, folders = comparison.primary.measure.name, comparison.folders
    keys, scores = scores_of_runs(folders, measure=measure)
    apart = np.argsort(-np.ptp(scores, axis=1), kind="stable")[:EXAMPLES]
    chosen = [
        ("Random", "the samples whose hashed key is smallest: no score is looked at", random_keys(keys, EXAMPLES)),
        ("Most changed", f"the samples whose {measure} differs most among the runs", [keys[place] for place in apart]),
    ]
    return [Gallery(title, rule, examples(folders, some, measure=measure)) for title, rule, some in chosen]
