"""How a column's values are spread, as a small inline drawing: the whole, and a selection against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from evaluate.page.render import short

BINS = 24
WIDTH, HEIGHT, FOOT = 180, 44, 15  # user units: of the drawing, of its bars, of the labels below them
WIDEST = 24.0  # user units: a bar, where there are few
TAIL = 0.005  # share of the values at either end that may be pushed into the last bar
STRETCH = 2.0  # where they would make the axis so many times as long
WHOLE, PART, RULE, SOFT = "var(--line)", "var(--blue)", "var(--ink)", "var(--soft)"  # of the page: light, dark, print


@dataclass(frozen=True)
class Histogram:
    """Counts of values, bar by bar.

    Attributes:
        names: of each bar, as "0.1 to 0.2" or "train".
        whole: [B] int64, values of all rows in each bar.
        part: [B] int64, those of the selection; None: there is none.
        ends: what stands under the first and the last bar.
        range: values at the left edge and the right one; None where bars are names.
    """

    names: tuple[str, ...]
    whole: NDArray[np.int64]
    part: NDArray[np.int64] | None
    ends: tuple[str, str]
    range: tuple[float, float] | None = None


def of_numbers(values: NDArray[Any], selected: NDArray[np.bool_] | None = None) -> Histogram:
    """Count numbers: one bar for each where they are few whole ones, else `BINS` of equal width.

    Values far out, that would squeeze all others into a few bars, are counted in the first and last bar.

    Args:
        values: [N] numbers of any type; what is not finite is left out.
        selected: [N] bool, the rows to compare with all.
    """
    found = np.isfinite(values)
    numbers = values[found].astype(np.float64)
    if not len(numbers):
        return Histogram((), np.zeros(0, np.int64), None if selected is None else np.zeros(0, np.int64), ("", ""))
    edges, names, ends = _bars(numbers)
    limits = edges[0], edges[-1]
    whole = np.histogram(np.clip(numbers, *limits), edges)[0].astype(np.int64)
    part = None
    if selected is not None:
        part = np.histogram(np.clip(numbers[selected[found]], *limits), edges)[0].astype(np.int64)
    return Histogram(names, whole, part, ends, (float(limits[0]), float(limits[1])))


def of_names(counts: Sequence[tuple[str, int]], part: Sequence[int] | None = None) -> Histogram:
    """Counts of words, as (name, rows) in the order of the bars, and of the selection's rows with the same names."""
    names = tuple(name for name, _ in counts)
    whole = np.array([count for _, count in counts], np.int64)
    ends = (names[0], names[-1] if len(names) > 1 else "") if names else ("", "")
    return Histogram(names, whole, None if part is None else np.array(part, np.int64), ends)


def draw(histogram: Histogram, *, title: str, cuts: Sequence[float] = ()) -> Markup:
    """An `svg` of shares: those of the whole behind, those of the selection, if there is one, in front.

    Each has its own total, so that a small selection can be compared with a large whole. Colours are the page's.

    Args:
        title: what is drawn, for whoever hears the page.
        cuts: values that are marked on the axis, as the ends of strata.
    """
    total = max(int(histogram.whole.sum()), 1)
    of_whole = histogram.whole / total
    chosen = max(int(histogram.part.sum()), 1) if histogram.part is not None else 1
    of_part = None if histogram.part is None else histogram.part / chosen
    tallest = max(of_whole.max(initial=0), 0 if of_part is None else of_part.max(initial=0)) or 1
    step = WIDTH / max(len(histogram.names), 1)
    width = min(step, WIDEST)
    parts = [f'<path d="M0 {HEIGHT + 0.5}H{WIDTH}" stroke="{WHOLE}"/>']
    for place, name in enumerate(histogram.names):
        said = f"{name}: {100 * of_whole[place]:.3g} % of all"
        middle = (place + 0.5) * step
        bars = _bar(middle, width, of_whole[place] / tallest, PART if of_part is None else WHOLE)
        if of_part is not None:
            bars += _bar(middle, width / 2, of_part[place] / tallest, PART)
            said += f", {100 * of_part[place]:.3g} % of those selected"
        parts.append(f"<g><title>{escape(said)}</title>{bars}</g>" if bars else "")
    parts += [_cut(cut, histogram.range) for cut in cuts if histogram.range]
    parts += [_label(0, histogram.ends[0], "start"), _label(WIDTH, histogram.ends[1], "end")]
    return Markup(
        f'<svg class="histogram" viewBox="0 0 {WIDTH} {HEIGHT + FOOT}" role="img" aria-label="{escape(title)}" '
        f'font-size="11.5">{"".join(parts)}</svg>'
    )


def _bars(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, str]]:
    """Edges of the bars [B + 1], their names, and what stands below the ends."""
    low, high = float(numbers.min()), float(numbers.max())
    near = (low, high)
    if high - low < BINS and np.array_equal(numbers, np.round(numbers)):
        whole = np.arange(low, high + 1)
        names = tuple(map(short, whole.tolist()))
        return np.append(whole, high + 1) - 0.5, names, (names[0], names[-1] if len(names) > 1 else "")
    inner = np.quantile(numbers, (TAIL, 1 - TAIL)).tolist()
    if high - low > STRETCH * (inner[1] - inner[0]) > 0:
        near = (inner[0], inner[1])
    if near[0] == near[1]:
        return np.array([low, np.nextafter(low, np.inf)]), (short(low),), (short(low), "")
    edges = np.linspace(*near, BINS + 1)
    names = tuple(f"{short(a)} to {short(b)}" for a, b in pairwise(edges.tolist()))
    ends = (("≤ " if near[0] > low else "") + short(near[0]), ("≥ " if near[1] < high else "") + short(near[1]))
    return edges, names, ends


def _bar(middle: float, width: float, share: float, colour: str) -> str:
    if not share:
        return ""
    tall = max(share * HEIGHT, 1.0)  # a single row of a million is still seen
    width -= min(1.0, width / 6)
    return (
        f'<rect x="{middle - width / 2:.1f}" y="{HEIGHT - tall:.1f}" width="{width:.1f}" height="{tall:.1f}" '
        f'fill="{colour}"/>'
    )


def _cut(value: float, limits: tuple[float, float] | None) -> str:
    assert limits is not None
    share = (min(max(value, limits[0]), limits[1]) - limits[0]) / (limits[1] - limits[0])
    return f'<path d="M{share * WIDTH:.1f} 0V{HEIGHT + 4}" stroke="{RULE}" stroke-dasharray="2 2" opacity=".55"/>'


def _label(x: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{HEIGHT + FOOT - 3}" text-anchor="{anchor}" fill="{SOFT}">{escape(text)}</text>'
