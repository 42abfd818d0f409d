"""What is won against what it costs, as inline SVG."""

from collections.abc import Sequence

from markupsafe import Markup

from evaluate.page.plot import said
from evaluate.page.svg import (
    INK,
    LEFT,
    RIGHT,
    RULE,
    WIDTH,
    Scale,
    axis_x,
    axis_y,
    dot,
    points,
    roomy,
    stroke,
    svg,
    text,
)
from evaluate.statistics import Interval

COLOUR = "var(--blue)"


def trade(points_: Sequence[tuple[str, Interval, Interval]], *, across: str, unit: str) -> Markup:
    """Draw what is won against what it costs: a dot with both intervals for each choice, joined in their order.

    Args:
        points_: (label, along the axis below, along the one beside).
        across: unit of the axis below.
        unit: of the one beside.
    """
    bottom, height = 270, 326
    xs, ys = ([end for value in values for end in (value.low, value.high)] for values in _turned(points_))
    at_x, at_y = Scale(*roomy(xs), LEFT, WIDTH - RIGHT), Scale(*roomy(ys), bottom, 16)
    parts = [axis_y(at_y, unit=unit), axis_x(at_x.low, at_x.high, top=16, bottom=bottom, unit=across)]
    line = points([(at_x(x.value), at_y(y.value)) for _, x, y in points_])
    parts.append(f'<polyline points="{line}" fill="none" stroke="{RULE}" stroke-width="2"/>')
    for label, x, y in points_:
        parts.append(stroke((at_x(x.low), at_y(y.value)), (at_x(x.high), at_y(y.value)), COLOUR, 1.5))
        parts.append(stroke((at_x(x.value), at_y(y.low)), (at_x(x.value), at_y(y.high)), COLOUR, 1.5))
        parts.append(dot(at_x(x.value), at_y(y.value), f"{label}: {said(x)}; {said(y)}"))
        parts.append(text(at_x(x.value) + 9, at_y(y.value) - 8, label, anchor="start", colour=INK))
    return svg(parts, height=height, title=f"{unit} against {across}, with 95% intervals")


def _turned(points_: Sequence[tuple[str, Interval, Interval]]) -> tuple[list[Interval], list[Interval]]:
    """The values along each axis."""
    return [across for _, across, _ in points_], [beside for _, _, beside in points_]
