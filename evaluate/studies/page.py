"""The page of a study: curves or a forest plot, matrices, the table of ways, and the same pictures by each."""

import numpy as np
from markupsafe import Markup

from evaluate.page.plot import Along, Fitted, Point, curve, forest
from evaluate.page.render import count, render
from evaluate.report.examples import EXAMPLES, Example, examples, scores_of_runs
from evaluate.report.gallery import random_keys
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.studies.lineage import packages, seeds_in_words
from evaluate.studies.matrix import matrices
from evaluate.studies.scaling import Scaling
from evaluate.studies.ways import Grid, Way
from evaluate.studies.words import (
    WORST,
    appeared_in_words,
    budget_in_words,
    comparisons_in_words,
    headline,
    pairs_in_words,
    trainings_in_words,
    worst_in_words,
)
from manifests.study import ROWS

SHOWN = 8  # ways whose pictures are set side by side


def as_html(grid: Grid) -> str:
    """The page."""
    alike = [way for way in grid.ways if _scored(way) == _scored(grid.ways[0])]
    shown = _spread(alike)
    return render(
        "studies/page.html.j2",
        grid=grid,
        headline=headline(grid),
        plots=plots(grid),
        matrices=matrices(grid),
        pairs={words: pairs_in_words(scaling) for words, scaling in grid.scaling.items()},
        trainings=trainings_in_words(grid),
        seeds=seeds_in_words(grid.lineages),
        packages=packages(grid.lineages),
        budget=budget_in_words(grid),
        comparisons=comparisons_in_words(grid),
        looks=[(appeared_in_words(way), worst_in_words(way)) for way in grid.ways] if grid.watched else [],
        worst=WORST,
        shown=shown,
        others=len(alike) < len(grid.ways),
        examples=_examples(grid, shown),
    )


def plots(grid: Grid) -> dict[str, Markup]:
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
    return {words: _curve(ways, grid.scaling.get(words)) for words, ways in groups.items()}


def _curve(ways: list[Way], scaling: Scaling | None) -> Markup:
    points = [Point(float(way.labels[ROWS]), way.share, count(int(way.labels[ROWS]))) for way in ways]
    floor, ceiling = ({point.x: anchor for point in points} for anchor in (0.0, 1.0))
    along = Along("training rows (logarithmic)", logarithmic=True)
    fitted = _fitted(scaling) if scaling else None
    return curve(points, floor=floor, ceiling=ceiling, along=along, unit="of the way", fitted=fitted)


def _fitted(scaling: Scaling) -> Fitted | None:
    """The best form of growth between the smallest and the largest size."""
    if scaling.best is None:
        return None
    sizes = np.geomspace(scaling.sizes[0], scaling.sizes[-1], 60)
    values = np.column_stack(scaling.best.curve(sizes))
    return Fitted(scaling.best.form.name, sizes, values, rising=scaling.rising(sizes))


def _examples(grid: Grid, shown: list[Way]) -> tuple[Example, ...]:
    folders = [way.folder for way in shown]
    keys, _ = scores_of_runs(folders, measure=grid.measure.name)
    return examples(folders, random_keys(keys, EXAMPLES), measure=grid.measure.name)


def _spread(ways: list[Way]) -> list[Way]:
    """As many as are shown, from the first to the last."""
    if len(ways) <= SHOWN:
        return ways
    return [ways[place * (len(ways) - 1) // (SHOWN - 1)] for place in range(SHOWN)]


def _scored(way: Way) -> tuple[str, list[str]]:
    """What was measured, of which samples."""
    return way.measure.name, read_scores(way.folder / SCORES_FILE)["key"].unique().sort().to_pylist()
