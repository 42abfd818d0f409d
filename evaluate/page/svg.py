"""The parts of a plot as SVG: scales, axes, strokes and words in the colours of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

Place = tuple[float, float]  # x to the right, y down, in user units

INK, SOFT, RULE, PAPER = "var(--ink)", "var(--soft)", "var(--rule)", "var(--paper)"  # of the page: light, dark, print
LIGHT = "--paper:#fff;--ink:#1c2430;--soft:#5d6778;--rule:#e4e7ec;--blue:#2f6fed;--green:#12805c;--grey:#8a94a6;"
WIDTH = 720  # user units; the page scales the drawing
LEFT, RIGHT = 96, 24


@dataclass(frozen=True)
class Scale:
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
class LogScale:
    """The same for logarithms."""

    inner: Scale

    def __call__(self, value: float) -> float:
        return self.inner(float(np.log10(value)))


def log_scale(values: Sequence[float]) -> LogScale:
    """Of an axis to the right that holds these values, all above 0."""
    logs = [float(np.log10(value)) for value in values]
    margin = 0.08 * (max(logs) - min(logs)) or 0.5
    return LogScale(Scale(min(logs) - margin, max(logs) + margin, LEFT, WIDTH - RIGHT))


def axis_x(low: float, high: float, *, top: float, bottom: float, unit: str, left: float = LEFT) -> str:
    """Ticks, their rules from `top` to `bottom`, and the unit below."""
    scale = Scale(low, high, left, WIDTH - RIGHT)
    parts = []
    for tick in ticks(low, high):
        parts.append(stroke((scale(tick), top), (scale(tick), bottom), RULE, 1))
        parts.append(text(scale(tick), bottom + 16, f"{tick:g}", anchor="middle"))
    parts.append(text((left + WIDTH - RIGHT) / 2, bottom + 34, unit, anchor="middle"))
    return "".join(parts)


def axis_y(scale: Scale, *, unit: str) -> str:
    """Ticks, their rules across the plot, and the unit beside it."""
    parts = []
    for tick in ticks(scale.low, scale.high):
        parts.append(stroke((LEFT, scale(tick)), (WIDTH - RIGHT, scale(tick)), RULE, 1))
        parts.append(text(LEFT - 10, scale(tick) + 4, f"{tick:g}", anchor="end"))
    middle = (scale.start + scale.stop) / 2
    parts.append(
        f'<text x="22" y="{middle}" transform="rotate(-90 22 {middle})" text-anchor="middle" fill="{SOFT}">'
        f"{escape(unit)}</text>"
    )
    return "".join(parts)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values, at most eight."""
    least = max(high - low, 1e-12) / 7
    power = 10.0 ** np.floor(np.log10(least))
    step = next(float(power * round_) for round_ in (1, 2, 5, 10) if power * round_ >= least - 1e-12)
    first = int(np.ceil(low / step - 1e-9))
    return [round(step * index, 10) for index in range(first, int(high / step + 1e-9) + 1)]


def stroke(start: Place, stop: Place, colour: str, width: float, *, dash: str = "") -> str:
    """A straight line."""
    (x1, y1), (x2, y2) = start, stop
    extra = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-linecap="round"{extra}/>'
    )


def text(x: float, y: float, words: str, *, anchor: str, colour: str = SOFT) -> str:
    """Words, with a rim of paper that keeps them off what lies below."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" stroke="{PAPER}" stroke-width="4" '
        f'paint-order="stroke">{escape(words)}</text>'
    )


def points(places: Sequence[Place]) -> str:
    """Places as polygons and polylines list them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def svg(parts: Sequence[str], *, height: float, title: str) -> Markup:
    """The whole drawing, with a title for who can't see it."""
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}" '
        f'font-size="12.5"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def alone(drawing: Markup) -> str:
    """A drawing as a file of its own, in the light colours of the page."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" style="{LIGHT}background:#fff" font-family="sans-serif" '
    return head + str(drawing).removeprefix("<svg ") + "\n"  # of markup it would escape the head


def dot(x: float, y: float, told: str, *, colour: str = "var(--blue)") -> str:
    """A dot that says more to whoever points at it."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"><title>{escape(told)}</title></circle>'


def roomy(ends: Sequence[float]) -> tuple[float, float]:
    """Least and greatest value with some room around them."""
    low, high = min(ends), max(ends)
    room = 0.08 * (high - low) or 0.5
    return low - room, high + room
