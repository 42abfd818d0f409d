"""The report of a study: every way of training side by side, on one page, and the same numbers as JSON and Markdown."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluate.examples import EXAMPLES, Example, examples, scores_of_runs
from evaluate.gallery import random_keys
from evaluate.grid import Grid, Way, verdicts
from evaluate.plot import Along, Point, curve, forest
from evaluate.render import cell, count, number, numbers, render, with_interval
from evaluate.scaling import Scaling, verdict
from evaluate.statistics import LEVEL, REPLICATES
from manifests.storage import replace_text
from manifests.study import ROWS

SHOWN = 8  # ways whose pictures are set side by side
NINE_TENTHS = 0.9  # of what the largest size reached: how many pairs take one there


def write_grid_report(grid: Grid, folder: Path) -> Path:
    """Write report.html, report.json and report.md of a study; returns the HTML file."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(json.dumps(as_json(grid), indent=2, sort_keys=True) + "\n", folder / "report.json")
    replace_text(as_markdown(grid), folder / "report.md")
    replace_text(as_html(grid), folder / "report.html")
    return folder / "report.html"


def headline(grid: Grid) -> str:
    """Which way goes furthest, and whether it is told from the first."""
    known = [way for way in grid.ways if math.isfinite(way.share.value)]
    if not known:
        return "No verdict: floor and ceiling of this study coincide."
    best = max(known, key=lambda way: way.share.value)
    way = f"{100 * best.share.value:.0f}% of the way [{100 * best.share.low:.0f}, {100 * best.share.high:.0f}]"
    said = f"{best.name} goes furthest: {way} from no control to the best this base can draw"
    if best.beside is None:
        return f"{said}."
    told = "surely more" if best.beside.low > 0 else "not surely more"
    return f"{said}, {told} than {grid.ways[0].name} ({100 * grid.ways[0].share.value:.0f}%)."


def pairs_in_words(scaling: Scaling) -> str:
    """How many pairs reach nine tenths of what the largest size reached, or that these sizes can't tell."""
    target = NINE_TENTHS * scaling.means[-1].value
    return verdict(scaling, target=target, unit=f"(nine tenths of what {count(int(scaling.sizes[-1]))} pairs reach)")


def as_json(grid: Grid) -> dict[str, Any]:
    """All numbers, without pictures."""
    return {
        "name": grid.name,
        "headline": headline(grid),
        "verdicts": verdicts(grid),
        "protocol_fingerprint": grid.protocol.fingerprint,
        "protocol": asdict(grid.protocol),
        "measure": grid.measure.name,
        "samples": grid.samples,
        "bootstrap": {"replicates": REPLICATES, "level": LEVEL, "over": "samples, and trainings where repeated"},
        "floor": numbers(grid.floor),
        "ceiling": numbers(grid.ceiling),
        "between_runs": grid.between_runs,
        "ways": [_way(way) for way in grid.ways],
        "scaling": {words: _scaling(scaling) for words, scaling in grid.scaling.items()},
        "failed": dict(grid.failed),
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "labels": dict(way.labels),
        "trainings": way.runs,
        "score": numbers(way.score),
        "normalised": numbers(way.share),
        "beside": way.beside and numbers(way.beside),
        "cost": asdict(way.cost),
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


def as_markdown(grid: Grid) -> str:
    """Tables to paste elsewhere."""
    head = [*grid.axes, "trainings", grid.measure.name, "normalised", "beside the first", "minutes", "TFLOP"]
    rows = "".join(f"| {' | '.join(_cells(way))} |\n" for way in grid.ways)
    said = [f"{words}: {pairs_in_words(one)}" if words else pairs_in_words(one) for words, one in grid.scaling.items()]
    said += [f"{name} failed: {why}" for name, why in grid.failed.items()]
    listed, between = "".join(f"- {cell(sentence)}\n" for sentence in said), "one training each"
    if grid.between_runs is not None:
        between = f"with what other trainings change (standard deviation {grid.between_runs:.3f} of the way)"
    return (
        f"# {cell(grid.name)}\n\n{cell(headline(grid))}\n\n| {' | '.join(map(cell, head))} |\n"
        f"|{'---|' * len(grid.axes)}{'---:|' * 6}\n{rows}\n{listed}\n{grid.samples} test samples, floor "
        f"{number(grid.floor)}, ceiling {number(grid.ceiling)}; brackets are 95% intervals of a bootstrap over "
        f"samples, {between}; differences are paired. Protocol {grid.protocol.fingerprint}.\n"
    )


def _cells(way: Way) -> list[str]:
    beside = with_interval(way.beside, sign="+") if way.beside else ""
    costs = [f"{way.cost.seconds / 60:.1f}", f"{way.cost.teraflop:.3g}"]
    scores = [with_interval(way.score), with_interval(way.share), beside]
    return [*map(cell, way.labels.values()), str(way.runs), *scores, *costs]


def as_html(grid: Grid) -> str:
    """The page."""
    return render(
        "grid.html.j2",
        grid=grid,
        headline=headline(grid),
        verdicts=verdicts(grid),
        plots=_plots(grid),
        pairs={words: pairs_in_words(scaling) for words, scaling in grid.scaling.items()},
        shown=grid.ways[:SHOWN],
        examples=_examples(grid),
    )


def _plots(grid: Grid) -> dict[str, Markup]:
    """Along the sizes a curve for each combination of the other axes; of anything else one forest plot."""
    if ROWS not in grid.axes:
        anchors = {"floor": 0.0, "ceiling": 1.0}
        names = [way.name for way in grid.ways]
        unit = "of the way from floor to ceiling"
        return {"": forest(names, [way.share for way in grid.ways], anchors=anchors, unit=unit)}
    groups: dict[str, list[Way]] = {}
    for way in grid.ways:
        words = ", ".join(label for axis, label in way.labels.items() if axis != ROWS)
        groups.setdefault(words, []).append(way)
    return {words: _curve(grid, ways) for words, ways in groups.items()}


def _curve(grid: Grid, ways: list[Way]) -> Markup:
    points = [Point(float(way.labels[ROWS]), way.score, count(int(way.labels[ROWS]))) for way in ways]
    floor, ceiling = ({point.x: anchor.value for point in points} for anchor in (grid.floor, grid.ceiling))
    along = Along("training rows (logarithmic)", logarithmic=True)
    return curve(points, floor=floor, ceiling=ceiling, along=along, unit=grid.measure.title)


def _examples(grid: Grid) -> tuple[Example, ...]:
    folders = [way.folder for way in grid.ways[:SHOWN]]
    keys, _ = scores_of_runs(folders, measure=grid.measure.name)
    return examples(folders, random_keys(keys, EXAMPLES), measure=grid.measure.name)
