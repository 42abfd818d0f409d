"""Plots as inline SVG: no script, no network, sharp in print."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from evaluate.page.svg import (
    INK,
    LEFT,
    RIGHT,
    WIDTH,
    Scale,
    axis_x,
    axis_y,
    dot,
    log_scale,
    points,
    roomy,
    stroke,
    svg,
    text,
)
from evaluate.statistics import Interval

COLOURS = {"floor": "var(--grey)", "controlled": "var(--blue)", "ceiling": "var(--green)"}
COURSES = (COLOURS["controlled"], COLOURS["ceiling"])
FOREST = 200  # where the axis of a forest plot begins at least: names of runs stand before it
LONGEST = 40  # letters of a name there


@dataclass(frozen=True)
class Point:
    """One value along a curve."""

    x: float
    y: Interval
    label: str


Line = Mapping[float, float]  # x → value


@dataclass(frozen=True)
class Along:
    """What was varied: its name in words, and whether its axis is logarithmic."""

    title: str
    logarithmic: bool = False

    def scale(self, values: Sequence[float]) -> Callable[[float], float]:
        """Of an axis that holds these values."""
        return log_scale(values) if self.logarithmic else Scale(*roomy(values), LEFT, WIDTH - RIGHT)


@dataclass(frozen=True)
class Fitted:
    """A law fitted to the points of a curve, with its band.

    Attributes:
        name: of the law.
        x: [K] float64.
        values: [K, 3] float64: value, low, high.
        rising: [K] float64, between the points by a line that never falls; None for none.
    """

    name: str
    x: NDArray[np.float64]
    values: NDArray[np.float64]
    rising: NDArray[np.float64] | None = None


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
    parts = [axis_x(low, high, top=top, bottom=top + row * len(arms), unit=unit)]
    for index, (arm, values) in enumerate(arms.items()):
        base = top + row * (index + 1) - 10
        parts.append(_ridge(values, low, high, base=base, height=row - 18, colour=COLOURS[arm]))
        parts.append(text(LEFT - 12, base, arm, anchor="end", colour=INK))
        scale = Scale(low, high, LEFT, WIDTH - RIGHT)
        parts.append(_whisker(means[arm], scale, y=base + 5, colour=COLOURS[arm]))
    return svg(parts, height=height, title="How the scores of single pictures are spread, by arm")


def curve(
    points_: Sequence[Point], *, floor: Line, ceiling: Line, along: Along, unit: str, fitted: Fitted | None = None
) -> Markup:
    """Draw a score along something that was varied, with its interval at each value, between its anchors.

    Args:
        points_: in any order.
        floor: x → value, of as many x; drawn as a dashed line.
        ceiling: likewise.
        along: what was varied.
        unit: beside the axis.
        fitted: a law with its band, instead of one through the points' own intervals.
    """
    ordered = sorted(points_, key=lambda point: point.x)
    bottom, height = 270, 326
    shown = [point for point in ordered if np.isfinite(point.y.value)]
    ends = [end for point in shown for end in _ends(point.y)]
    ends += [*floor.values(), *ceiling.values()]  # whichever is the higher: of an error, the floor
    at_x = along.scale([point.x for point in ordered])
    at_y = Scale(min([0.0, *ends]), max(ends) * 1.05, bottom, 16)
    parts = [axis_y(at_y, unit=unit), _anchor(floor, at_x, at_y, "floor"), _anchor(ceiling, at_x, at_y, "ceiling")]
    if fitted is None:
        own = [(point.y.value, *_ends(point.y)) for point in shown]
        fitted = Fitted("", np.array([point.x for point in shown]), np.array(own).reshape(-1, 3))
    else:
        parts.append(text(WIDTH - RIGHT - 4, bottom - 12, f"line and band: {fitted.name}", anchor="end"))
    if fitted.rising is not None:
        places = [(at_x(float(x)), at_y(float(y))) for x, y in zip(fitted.x, fitted.rising, strict=True)]
        parts.append(f'<polyline points="{points(places)}" fill="none" stroke="{INK}" stroke-dasharray="2 3"/>')
        parts.append(text(WIDTH - RIGHT - 4, bottom - 30, "dotted: between the sizes, never falling", anchor="end"))
    parts.append(_banded(fitted.x, fitted.values, at_x, at_y, colour=COLOURS["controlled"]))
    parts += [text(at_x(point.x), bottom + 20, point.label, anchor="middle", colour=INK) for point in ordered]
    for point in shown:
        x, y = at_x(point.x), at_y(point.y.value)
        parts.append(stroke((x, at_y(point.y.low)), (x, at_y(point.y.high)), COLOURS["controlled"], 2))
        parts.append(dot(x, y, f"{point.label}: {said(point.y)}"))
        parts.append(text(x + 10, y + 17, f"{point.y.value:.2f}", anchor="start", colour=INK))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, height - 10, along.title, anchor="middle"))
    return svg(parts, height=height, title=f"Score by {along.title}, with 95% intervals")


def course(steps: NDArray[np.int64], lines: Mapping[str, NDArray[np.float64]], *, unit: str) -> Markup:
    """Draw values over the steps of a training, each with its band.

    Args:
        steps: [S] int64, ascending.
        lines: name → [S, 3] float64: value, low, high; at most two.
        unit: beside the axis.
    """
    bottom, height = 270, 326
    low, high = roomy([0.0, *(float(end) for values in lines.values() for end in (values.min(), values.max()))])
    at_x, at_y = Scale(0.0, float(steps[-1]), LEFT, WIDTH - RIGHT), Scale(low, high, bottom, 16)
    parts = [axis_y(at_y, unit=unit), axis_x(0.0, float(steps[-1]), top=16, bottom=bottom, unit="steps")]
    for number, ((name, values), colour) in enumerate(zip(lines.items(), COURSES, strict=False)):
        parts.append(_banded(steps, values, at_x, at_y, colour=colour))
        parts.append(text(LEFT + 12, 34 + 18 * number, name, anchor="start", colour=colour))
    return svg(parts, height=height, title=f"{unit} over the steps of training, with 95% intervals")


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
    ends = [end for value in values for end in _ends(value) if np.isfinite(end)] + list(anchors.values())
    low, high = min([0.0, *ends]), max(ends)
    left = max(FOREST, 18 + 7.5 * min(max(map(len, names)), LONGEST))
    scale = Scale(low, high, left, WIDTH - RIGHT)
    parts = [axis_x(low, high, top=top, bottom=bottom, unit=unit, left=left)]
    for arm, place in anchors.items():
        parts.append(stroke((scale(place), top), (scale(place), bottom), COLOURS[arm], 1.5, dash="5 4"))
        parts.append(text(scale(place), top - 10, arm, anchor="middle", colour=COLOURS[arm]))
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        y = top + row * (number + 0.5)
        cut = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
        parts.append(text(left - 12, y + 4, cut, anchor="end", colour=INK))
        parts.append(_whisker(value, scale, y=y, colour=COLOURS["controlled"]))
    return svg(parts, height=bottom + 42, title="Runs with 95% intervals, between their anchors")


def _ridge(values: NDArray[np.float64], low: float, high: float, *, base: float, height: float, colour: str) -> str:
    counts, edges = np.histogram(values, bins=40, range=(low, high))
    scale = Scale(low, high, LEFT, WIDTH - RIGHT)
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


def _whisker(mean: Interval, scale: Scale, *, y: float, colour: str) -> str:
    if not np.isfinite(mean.value):
        return ""
    bar = stroke((scale(mean.low), y), (scale(mean.high), y), colour, 3) if np.isfinite(mean.low) else ""
    return bar + dot(scale(mean.value), y, said(mean), colour=colour)


def _banded(
    x: NDArray[Any], values: NDArray[np.float64], at_x: Callable[[float], float], at_y: Scale, *, colour: str
) -> str:
    """A line with its band: [K, 3] values, lows and highs over [K] x."""
    value, under, over = (
        [(at_x(float(across)), at_y(float(y))) for across, y in zip(x, column, strict=True)] for column in values.T
    )
    band = f'<polygon points="{points([*over, *reversed(under)])}" fill="{colour}" opacity=".14"/>'
    return f'{band}<polyline points="{points(value)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _ends(value: Interval) -> tuple[float, float]:
    """Of an interval; the value itself where there is none."""
    return (value.low, value.high) if np.isfinite(value.low) else (value.value, value.value)


def said(value: Interval) -> str:
    """A value with its interval, as a dot tells it."""
    ends = f", 95% interval {value.low:.3f} to {value.high:.3f}" if np.isfinite(value.low) else ""
    return f"{value.value:.3f}{ends}"


def _anchor(line: Line, at_x: Callable[[float], float], at_y: Scale, name: str) -> str:
    """An anchor as a dashed line from side to side, through its values."""
    ordered = sorted(line.items())
    inner = [(at_x(x), at_y(value)) for x, value in ordered]
    places = [(float(LEFT), inner[0][1]), *inner, (float(WIDTH - RIGHT), inner[-1][1])]
    dashes = f'<polyline points="{points(places)}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.5"'
    label = text(LEFT + 4, inner[0][1] - 6, name, anchor="start", colour=COLOURS[name])
    return f'{dashes} stroke-dasharray="5 4"/>{label}'
