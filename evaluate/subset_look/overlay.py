"""Histograms of three populations over each other as inline SVG: no script, no network."""

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from evaluate.page.render import short
from evaluate.subset_look.bins import Bins
from evaluate.subset_look.compare import ALL, DRAWN, ELIGIBLE, POPULATIONS

WIDTH, HEIGHT = 480, 168  # user units; the page scales the drawing
LEFT, RIGHT, TOP, BOTTOM = 6, 6, 10, 26  # margins
LABELLED = 16  # characters of a category's label that are shown
BLOCKS = " ▁▂▃▄▅▆▇█"
SPARKS = 20  # of a line of them, at most


def overlay(bins: Bins, title: str) -> Markup:
    """Shares of the populations in each bin: all filled, eligible dashed, drawn as a line over its own tint.

    Numbers lie along the axis, categories in bars beside each other with their shares.
    """
    shares = bins.shares
    if not bins.labels:
        parts = _steps(shares) + _axis(bins)
        return _svg(parts + _tips(bins, shares), HEIGHT, title)
    return _svg(_bars(bins, shares), 8 + 30 * len(bins.labels), title)


def sparkline(bins: Bins, population: int) -> str:
    """A population's shares as one line of block characters, the highest bin full; bins are joined to fit."""
    counts = bins.counts[population]
    joined = -(-len(counts) // SPARKS)
    means = [float(counts[start : start + joined].mean()) for start in range(0, len(counts), joined)]
    top = max(means, default=0) or 1
    return "".join(BLOCKS[int(np.ceil(8 * mean / top))] for mean in means)


def _steps(shares: NDArray[np.float64]) -> list[str]:
    """The outlines, [P, K] shares as heights."""
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    top = max(float(shares.max(initial=0)), 1e-9)
    paths = []
    for population in (ALL, DRAWN, ELIGIBLE):
        ys = floor - room * shares[population] / top
        xs = np.linspace(LEFT, WIDTH - RIGHT, len(ys) + 1)
        points = [(xs[0], floor)]
        for place, y in enumerate(ys.tolist()):
            points += [(xs[place], y), (xs[place + 1], y)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*points, (xs[-1], floor)])
        paths.append(f'<polyline class="{POPULATIONS[population]}" points="{line}"/>')
    return paths


def _axis(bins: Bins) -> list[str]:
    floor = HEIGHT - BOTTOM
    parts = [f'<line class="rule" x1="{LEFT}" y1="{floor}" x2="{WIDTH - RIGHT}" y2="{floor}"/>']
    low, high = bins.edges[0], bins.edges[-1]
    scale = np.log10 if bins.logarithmic else np.asarray
    for tick in _log_ticks(low, high) if bins.logarithmic else _ticks(low, high, grain=bins.grain):
        share = (scale(tick) - scale(low)) / (scale(high) - scale(low))
        x = LEFT + float(share) * (WIDTH - LEFT - RIGHT)
        anchor = "start" if share < 0.04 else "end" if share > 0.96 else "middle"
        parts.append(f'<line class="rule" x1="{x:.1f}" y1="{floor}" x2="{x:.1f}" y2="{floor + 4}"/>')
        parts.append(f'<text x="{x:.1f}" y="{floor + 18}" text-anchor="{anchor}">{short(tick)}</text>')
    return parts


def _ticks(low: float, high: float, *, grain: float) -> list[float]:
    """Round numbers between the ends, about five; of whole numbers, whole."""
    size = 10 ** np.floor(np.log10((high - low) / 5))
    step = next(part * size for part in (1, 2, 5, 10) if part * size >= (high - low) / 5)
    step = max(step, 1.0) if grain else step
    return [float(tick) for tick in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _log_ticks(low: float, high: float) -> list[float]:
    """The same for a logarithmic axis, seven at most."""
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for within in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(part * 10**decade) for decade in decades for part in within]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 7:
            break
    return ticks


def _tips(bins: Bins, shares: NDArray[np.float64]) -> list[str]:
    """What a pointer over a bin is told."""
    xs = np.linspace(LEFT, WIDTH - RIGHT, shares.shape[1] + 1)
    tips = []
    for place in range(shares.shape[1]):
        said = f"{bins.name(place)}: {_said(shares[:, place])}"
        tips.append(
            f'<rect class="tip" x="{xs[place]:.1f}" y="{TOP}" width="{xs[place + 1] - xs[place]:.1f}" '
            f'height="{HEIGHT - BOTTOM - TOP}"><title>{escape(said)}</title></rect>'
        )
    return tips


def _bars(bins: Bins, shares: NDArray[np.float64]) -> list[str]:
    parts = []
    start, room = 130, WIDTH - RIGHT - 130 - 96
    for place, label in enumerate(bins.labels):
        y = 8 + 30 * place
        cut = label if len(label) <= LABELLED else label[: LABELLED - 1] + "…"
        parts.append(f'<text x="{start - 10}" y="{y + 15}" text-anchor="end">{escape(cut)}</text>')
        for row, population in enumerate((ALL, ELIGIBLE, DRAWN)):
            wide = room * shares[population][place]
            kind = f"bar {POPULATIONS[population]}"
            parts.append(f'<rect class="{kind}" x="{start}" y="{y + 7 * row}" width="{wide:.1f}" height="6"/>')
        said = f"{short(100 * shares[DRAWN][place])} % of {short(100 * shares[ALL][place])} %"
        parts.append(f'<text x="{WIDTH - RIGHT}" y="{y + 15}" text-anchor="end">{said.replace(" of ", " / ")}</text>')
        parts.append(
            f'<rect class="tip" x="0" y="{y - 4}" width="{WIDTH}" height="28">'
            f"<title>{escape(f'{label}: {_said(shares[:, place])}')}</title></rect>"
        )
    return parts


def _said(shares: NDArray[np.float64]) -> str:
    return ", ".join(f"{name} {short(100 * share)} %" for name, share in zip(POPULATIONS, shares, strict=True))


def _svg(parts: list[str], height: float, title: str) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}" font-size="12">'
        f"{''.join(parts)}</svg>"
    )
