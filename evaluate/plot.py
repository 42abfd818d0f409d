"""Plots as inline SVG: no script, no network, sharp in print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from evaluate.statistics import Interval

Place = tuple[float, float]  # x to the right, y down, in user units

INK, SOFT, RULE, PAPER = "var(--ink)", "var(--soft)", "var(--rule)", "var(--paper)"  # of the page: light, dark, print
COLOURS = {"floor": "var(--grey)", "controlled": "var(--blue)", "ceiling": "var(--green)"}
WIDTH = 720  # user units; the page scales the drawing
LEFT, RIGHT = 96, 24
FOREST = 200  # where the axis of a forest plot begins: names of runs stand before it


@dataclass(frozen=True)
class Point:
    """One size of a study."""

    x: float  # training rows, on a logarithmic axis
    y: Interval
    label: str


def distributions(arms: dict[str, NDArray[np.float64]], means: dict[str, Interval], *, unit: str) -> Markup:
    """Draw how the samples of each arm are spread, one ridge per arm.

    Args:
        arms: arm -> [N] float64 per-sample values.
        means: arm -> mean with interval, drawn as a dot with a bar.
        unit: under the axis.
    """
    low = min(0.0, *(float(values.min()) for values in arms.values()))
    high = max(1.0, *(float(values.max()) for values in arms.values()))
    row, top = 64, 8
    height = top + row * len(arms) + 40
    parts = [_axis_x(low, high, top=top, bottom=top + row * len(arms), unit=unit)]
    for index, (arm, values) in enumerate(arms.items()):
        base = top + row * (index + 1) - 10
        parts.append(_ridge(values, low, high, base=base, height=row - 18, colour=COLOURS[arm]))
        parts.append(_text(LEFT - 12, base, arm, anchor="end", colour=INK))
        scale = _Scale(low, high, LEFT, WIDTH - RIGHT)
        parts.append(_whisker(means[arm], scale, y=base + 5, colour=COLOURS[arm]))
    return _svg(parts, height=height, title="How the scores of single pictures are spread, by arm")


def sizes(points: Sequence[Point], *, floor: float, ceiling: float, unit: str) -> Markup:
    """Draw a score over the number of training rows, with its interval at each size.

    Args:
        points: in any order.
        floor: drawn as a dashed line.
        ceiling: likewise.
        unit: beside the axis.
    """
    ordered = sorted(points, key=lambda point: point.x)
    bottom, height = 270, 326
    ends = [end for point in ordered for end in (point.y.low, point.y.high) if np.isfinite(end)]
    ends += [floor, ceiling]  # whichever is the higher: of an error, the floor
    low, high = min([0.0, *ends]), max(ends) * 1.05
    at_x = _log_scale([point.x for point in ordered])
    at_y = _Scale(low, high, bottom, 16)
    parts = [_axis_y(at_y, unit=unit), _guide(at_y(floor), "floor"), _guide(at_y(ceiling), "ceiling")]
    shown = [point for point in ordered if np.isfinite(point.y.value)]
    band = [(at_x(p.x), at_y(p.y.high)) for p in shown] + [(at_x(p.x), at_y(p.y.low)) for p in reversed(shown)]
    parts.append(f'<polygon points="{_points(band)}" fill="{COLOURS["controlled"]}" opacity=".12"/>')
    line = _points([(at_x(p.x), at_y(p.y.value)) for p in shown])
    parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS["controlled"]}" stroke-width="2"/>')
    for point in ordered:
        parts.append(_text(at_x(point.x), bottom + 20, point.label, anchor="middle", colour=INK))
    for point in shown:
        x, y = at_x(point.x), at_y(point.y.value)
        parts.append(_stroke((x, at_y(point.y.low)), (x, at_y(point.y.high)), COLOURS["controlled"], 2))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS["controlled"]}"/>')
        parts.append(_text(x + 10, y + 17, f"{point.y.value:.2f}", anchor="start", colour=INK))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 10, "training rows (logarithmic)", anchor="middle"))
    return _svg(parts, height=height, title="Score by number of training rows, with 95% intervals")


def forest(names: Sequence[str], values: Sequence[Interval], *, anchors: Mapping[str, float], unit: str) -> Markup:
    """Draw runs below each other, each a dot with its interval, between anchors.

    Args:
        names: of the runs; long ones are cut.
        values: in the same order.
        anchors: arm → value, drawn as dashed lines from top to bottom.
        unit: under the axis.
    """
    row, top = 30, 26
    bottom = top + row * len(names)
    ends = [end for value in values for end in (value.low, value.high) if np.isfinite(end)] + list(anchors.values())
    low, high = min([0.0, *ends]), max(ends)
    scale = _Scale(low, high, FOREST, WIDTH - RIGHT)
    parts = [_axis_x(low, high, top=top, bottom=bottom, unit=unit, left=FOREST)]
    for arm, place in anchors.items():
        parts.append(_stroke((scale(place), top), (scale(place), bottom), COLOURS[arm], 1.5, dash="5 4"))
        parts.append(_text(scale(place), top - 10, arm, anchor="middle", colour=COLOURS[arm]))
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        y = top + row * (number + 0.5)
        parts.append(_text(FOREST - 12, y + 4, name if len(name) <= 26 else f"…{name[-25:]}", anchor="end", colour=INK))
        parts.append(_whisker(value, scale, y=y, colour=COLOURS["controlled"]))
    return _svg(parts, height=bottom + 42, title="Runs with 95% intervals, between their anchors")


@dataclass(frozen=True)
class _Scale:
    """A straight line from values to places."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        room = self.high - self.low
        share = (value - self.low) / room if room else 0.5
        return self.start + share * (self.stop - self.start)


@dataclass(frozen=True)
class _LogScale:
    """The same for logarithms."""

    inner: _Scale

    def __call__(self, value: float) -> float:
        return self.inner(float(np.log10(value)))


def _log_scale(values: Sequence[float]) -> _LogScale:
    logs = [float(np.log10(value)) for value in values]
    margin = 0.08 * (max(logs) - min(logs)) or 0.5
    return _LogScale(_Scale(min(logs) - margin, max(logs) + margin, LEFT, WIDTH - RIGHT))


def _ridge(values: NDArray[np.float64], low: float, high: float, *, base: float, height: float, colour: str) -> str:
    counts, edges = np.histogram(values, bins=40, range=(low, high))
    scale = _Scale(low, high, LEFT, WIDTH - RIGHT)
    tallest = max(1, int(counts.max()))
    bars = []
    for count, start, stop in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if count:
            x, tall = scale(start), height * count / tallest
            bars.append(
                f'<rect x="{x + 0.75:.1f}" y="{base - tall:.1f}" width="{scale(stop) - x - 1.5:.1f}" '
                f'height="{tall:.1f}" rx="1.5" fill="{colour}" opacity=".38"/>'
            )
    return "".join(bars)


def _whisker(mean: Interval, scale: _Scale, *, y: float, colour: str) -> str:
    if not np.isfinite(mean.value):
        return ""
    bar = _stroke((scale(mean.low), y), (scale(mean.high), y), colour, 3)
    told = escape(f"{mean.value:.3f}, 95% interval {mean.low:.3f} to {mean.high:.3f}")
    dot = f'<circle cx="{scale(mean.value):.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"><title>{told}</title></circle>'
    return bar + dot


def _axis_x(low: float, high: float, *, top: float, bottom: float, unit: str, left: float = LEFT) -> str:
    scale = _Scale(low, high, left, WIDTH - RIGHT)
    parts = []
    for tick in _ticks(low, high):
        parts.append(_stroke((scale(tick), top), (scale(tick), bottom), RULE, 1))
        parts.append(_text(scale(tick), bottom + 16, f"{tick:g}", anchor="middle"))
    parts.append(_text((left + WIDTH - RIGHT) / 2, bottom + 34, unit, anchor="middle"))
    return "".join(parts)


def _axis_y(scale: _Scale, *, unit: str) -> str:
    parts = []
    for tick in _ticks(scale.low, scale.high):
        parts.append(_stroke((LEFT, scale(tick)), (WIDTH - RIGHT, scale(tick)), RULE, 1))
        parts.append(_text(LEFT - 10, scale(tick) + 4, f"{tick:g}", anchor="end"))
    middle = (scale.start + scale.stop) / 2
    parts.append(
        f'<text x="22" y="{middle}" transform="rotate(-90 22 {middle})" text-anchor="middle" fill="{SOFT}">'
        f"{escape(unit)}</text>"
    )
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    room = high - low
    step = next((step for step in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if room / step <= 7), room / 5 or 1.0)
    first = int(np.ceil(low / step - 1e-9))
    return [round(step * index, 10) for index in range(first, int(high / step + 1e-9) + 1)]


def _guide(y: float, name: str) -> str:
    line = _stroke((LEFT, y), (WIDTH - RIGHT, y), COLOURS[name], 1.5, dash="5 4")
    return line + _text(LEFT + 4, y - 6, name, anchor="start", colour=COLOURS[name])


def _stroke(start: Place, stop: Place, colour: str, width: float, *, dash: str = "") -> str:
    (x1, y1), (x2, y2) = start, stop
    extra = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-linecap="round"{extra}/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str, colour: str = SOFT) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" stroke="{PAPER}" stroke-width="4" '
        f'paint-order="stroke">{escape(text)}</text>'
    )


def _points(places: Sequence[Place]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _svg(parts: Sequence[str], *, height: float, title: str) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}" '
        f'font-size="12.5"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )
