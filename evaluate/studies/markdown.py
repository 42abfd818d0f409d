"""A study's numbers as Markdown: to paste elsewhere, or to keep in a repository with its figures."""

from collections.abc import Mapping

from evaluate.page.render import cell, number, percent, with_interval
from evaluate.studies.lineage import packages, seeds_in_words
from evaluate.studies.matrix import Matrix, matrices
from evaluate.studies.ways import Grid, Way
from evaluate.studies.words import (
    WORST,
    appeared_in_words,
    budget_in_words,
    comparisons_in_words,
    doublings_in_words,
    forms_in_words,
    headline,
    pairs_in_words,
    trainings_in_words,
    verdicts,
    worst_in_words,
)


def as_markdown(grid: Grid, *, figures: Mapping[str, str] | None = None) -> str:
    """Headline, figures, matrices, the table of all ways, what failed, and how it was judged.

    Args:
        figures: file beside it → what it shows, in words.
    """
    parts = [f"# {cell(grid.name)}", cell(headline(grid))]
    parts += [f"![{cell(words or grid.name)}]({name})" for name, words in (figures or {}).items()]
    parts += [_matrix(matrix) for matrix in matrices(grid)]
    parts.append(_table(grid))
    said = [
        f"{words}: {sentence}" if words else sentence
        for words, one in grid.scaling.items()
        for sentence in (pairs_in_words(one), forms_in_words(one), doublings_in_words(one))
    ]
    said += [f"{name} failed: {why}" for name, why in grid.failed.items()]
    if said:
        parts.append("\n".join(f"- {cell(sentence)}" for sentence in said))
    if grid.compared:
        parts.append(_comparisons(grid))
    parts.append(_how(grid))
    return "\n\n".join(parts) + "\n"


def _matrix(matrix: Matrix) -> str:
    head = f"| {cell(matrix.down)} ↓ {cell(matrix.across)} → | {' | '.join(map(cell, matrix.columns))} |"
    lines = [head, f"|---|{'---:|' * len(matrix.columns)}"]
    for label, ways in matrix.rows.items():
        lines.append(f"| {cell(label)} | {' | '.join(_reached(way) for way in ways)} |")
    words = f"{cell(matrix.words)}: " if matrix.words else ""
    return f"{words}% of the way from floor to ceiling.\n\n" + "\n".join(lines)


def _reached(way: Way | None) -> str:
    if way is None:
        return "–"
    return f"{percent(way.share.value)} [{percent(way.share.low)}, {percent(way.share.high)}]"


def _table(grid: Grid) -> str:
    anchors = [] if grid.alike else ["floor", "ceiling"]
    score = grid.measure.name if grid.alike else "score"
    looks = ["appeared at step", "worst look"] if grid.watched else []
    head = [*grid.axes, "trainings", *anchors, score, "normalised", *looks]
    head += ["samples", "minutes", "TFLOP", "MB"]
    rows = [f"| {' | '.join(_cells(way, anchors=bool(anchors), looks=bool(looks)))} |" for way in grid.ways]
    rule = f"|{'---|' * len(grid.axes)}{'---:|' * (len(head) - len(grid.axes))}"
    return "\n".join([f"| {' | '.join(map(cell, head))} |", rule, *rows])


def _comparisons(grid: Grid) -> str:
    said = "\n".join(f"- {cell(sentence)}" for sentence in verdicts(grid))
    return f"## One beside the other\n\n{said}"


def _cells(way: Way, *, anchors: bool, looks: bool) -> list[str]:
    return [
        *map(cell, way.labels.values()),
        str(way.runs),
        *([number(way.floor), number(way.ceiling)] if anchors else []),
        with_interval(way.score),
        with_interval(way.share),
        *([appeared_in_words(way), worst_in_words(way)] if looks else []),
        f"{way.cost.samples:,}",
        f"{way.cost.seconds / 60:.1f}",
        f"{way.cost.teraflop:.3g}",
        f"{way.cost.bytes / 1e6:.0f}",
    ]


def _how(grid: Grid) -> str:
    first = grid.ways[0]
    anchors = f", floor {number(first.floor)}, ceiling {number(first.ceiling)}" if grid.alike else ""
    samples = f"{first.samples} test samples" if grid.alike else "As many test samples as each condition has"
    looks = f" Worst look: {WORST}." if grid.watched else ""
    made_by = ", ".join(f"{name} {version}" for name, version in packages(grid.lineages).items())
    return (
        f"{samples}{anchors}; brackets are 95% intervals of a bootstrap over samples; differences are paired where the "
        f"same samples were scored. {comparisons_in_words(grid)} {trainings_in_words(grid)} "
        f"{seeds_in_words(grid.lineages)} {budget_in_words(grid)}"
        f"{looks} Minutes and TFLOP are "
        f"of one training's steps, MB of its folder. Protocol {grid.protocol.fingerprint} (of the first way), "
        f"annotator {cell(grid.protocol.annotator)} {grid.protocol.annotator_fingerprint}, "
        f"base {cell(grid.protocol.base)}. {made_by}."
    )
