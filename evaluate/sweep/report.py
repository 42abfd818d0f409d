"""The report of a sweep: a curve along what was varied, adherence against quality, and the pictures themselves."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.page.plot import Along, Point, curve
from evaluate.page.render import cell, number, numbers, render, with_interval
from evaluate.page.written import write_pages
from evaluate.report.examples import EXAMPLES, examples, scores_of_runs
from evaluate.report.gallery import random_keys
from evaluate.sweep.sweep import TRADED, Sweep
from evaluate.sweep.trade import trade


def write_sweep_report(sweep: Sweep, folder: Path) -> Path:
    """Write sweep.html, sweep.json and sweep.md; returns the HTML file."""
    return write_pages(folder, as_json(sweep), markdown=as_markdown(sweep), page=as_html(sweep), name="sweep")


def in_words(sweep: Sweep) -> str:
    """Where adherence is best, and whether its interval leaves the others behind."""
    known = [each for each in sweep.settings if math.isfinite(each.share.value)]
    if not known:
        return f"{sweep.run}: no verdict; at no {sweep.field} is the ceiling surely better than the floor."
    best = max(known, key=lambda each: each.share.value)
    others = [each for each in known if each is not best and each.share.high >= best.share.low]
    behind = f"; intervals overlap with {', '.join(str(each.value) for each in others)}" if others else ""
    way = f"{100 * best.share.value:.0f}% of the way [{100 * best.share.low:.0f}, {100 * best.share.high:.0f}]"
    return f"{sweep.run} obeys most at {sweep.field} {best.value}: {way}{behind}."


def as_json(sweep: Sweep) -> dict[str, Any]:
    """All numbers, without pictures."""
    return {
        "headline": in_words(sweep),
        "run": sweep.run,
        "field": sweep.field,
        "protocol": asdict(sweep.protocol),
        "measure": sweep.measure.name,
        "samples": sweep.samples,
        "settings": [
            {
                "value": each.value,
                "arms": {arm: numbers(value) for arm, value in each.arms.items()},
                "normalised": numbers(each.share),
                "retrieval": each.found and numbers(each.found),
                "quality": {name: numbers(value) for name, value in each.quality.items()},
            }
            for each in sweep.settings
        ],
    }


def as_markdown(sweep: Sweep) -> str:
    """A table to paste elsewhere."""
    names = [name for measure in TRADED for name in sweep.qualities(measure)]
    head = [sweep.field, "floor", sweep.measure.name, "ceiling", "normalised", "right condition found", *names]
    rows = "".join(f"| {' | '.join(_cells(sweep, place, names))} |\n" for place in range(len(sweep.settings)))
    return (
        f"# {cell(sweep.run)}: {sweep.field}\n\n{in_words(sweep)}\n\n| {' | '.join(head)} |\n"
        f"|{'---:|' * len(head)}\n{rows}\n{sweep.samples} test samples, drawn from the same noise at every setting.\n"
    )


def _cells(sweep: Sweep, place: int, names: list[str]) -> list[str]:
    each = sweep.settings[place]
    scores = [number(each.arms[FLOOR]), with_interval(each.arms[CONTROLLED]), number(each.arms[CEILING])]
    found = with_interval(each.found) if each.found else "–"
    quality = [with_interval(each.quality[name]) if name in each.quality else "–" for name in names]
    return [cell(str(each.value)), *scores, with_interval(each.share), found, *quality]


def as_html(sweep: Sweep) -> str:
    """The page."""
    folders = [each.folder for each in sweep.settings]
    keys, _ = scores_of_runs(folders, measure=sweep.measure.name)
    names = [name for measure in TRADED for name in sweep.qualities(measure)]
    return render(
        "sweep/sweep.html.j2",
        sweep=sweep,
        headline=in_words(sweep),
        plot=_curve(sweep) if sweep.numeric else None,
        trades=_trades(sweep),
        names=names,
        examples=examples(folders, random_keys(keys, EXAMPLES), measure=sweep.measure.name),
    )


def _curve(sweep: Sweep) -> Markup:
    points = [Point(float(each.value), each.arms[CONTROLLED], f"{each.value:g}") for each in sweep.settings]
    floor, ceiling = ({float(each.value): each.arms[arm].value for each in sweep.settings} for arm in (FLOOR, CEILING))
    along = Along(sweep.field.replace("_", " "))
    return curve(points, floor=floor, ceiling=ceiling, along=along, unit=sweep.measure.title)


def _trades(sweep: Sweep) -> list[Markup]:
    """Adherence against each measure of quality that every setting has, where there is a way to go."""
    plots = []
    for measure in TRADED:
        for name, known in sweep.qualities(measure).items():
            if len(known) == len(sweep.settings):
                points = [(str(one.value), one.share, value) for one, value in known if math.isfinite(one.share.value)]
                if len(points) > 1:
                    plots.append(trade(points, across="of the way from floor to ceiling", unit=name))
    return plots
