"""Fills the templates: numbers in one form everywhere, every text escaped."""

import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evaluate.page.plot import COLOURS
from evaluate.statistics import REPLICATES, Interval


def render(template: str, **context: Any) -> str:
    """Fill a template, named from this package's root; every value is escaped, and an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "span": span,
        "with_interval": with_interval,
        "percent": percent,
        "count": count,
        "short": short,
        "breakable": breakable,
    }
    return environment.get_template(template).render(colours=COLOURS, replicates=count(REPLICATES), **context)


def number(value: Interval) -> str:
    """Three digits, or a dash where it is undefined."""
    return "–" if math.isnan(value.value) else f"{value.value:.3f}"


def span(value: Interval) -> str:
    """The interval in brackets."""
    return "" if math.isnan(value.low) else f"[{value.low:.3f}, {value.high:.3f}]"


def with_interval(value: Interval, *, sign: str = "") -> str:
    """Value and interval, two digits; `sign` "+" marks differences."""
    if math.isnan(value.value):
        return "–"
    ends = "" if math.isnan(value.low) else f" [{value.low:{sign}.2f}, {value.high:{sign}.2f}]"
    return f"{value.value:{sign}.2f}{ends}"


def percent(value: float) -> str:
    """A share as a percentage without digits."""
    return f"{100 * value:.0f}" if math.isfinite(value) else "–"


def count(value: int) -> str:
    """A whole number, its thousands apart."""
    return f"{value:,}"


def short(value: float) -> str:
    """A number in three or more digits, its thousands apart."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def breakable(name: str) -> Markup:
    """A long name that may be broken where its words end."""
    return Markup("<wbr>").join(re.split(r"(?<=[._])", name))


def cell(text: str) -> str:
    """A text that is safe in a Markdown table."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def code(text: str) -> str:
    """A text as it was typed, in a Markdown table."""
    if "`" in text:
        return cell(text)
    return "`" + text.replace("|", "\\|").replace("\n", " ") + "`"


def numbers(value: Interval) -> dict[str, float | None]:
    """An interval for JSON, which knows no NaN."""
    return {name: part if math.isfinite(part) else None for name, part in asdict(value).items()}
