"""Pictures: how many are grey, and how many JPEG has damaged: the faults of ControlNet's own first data."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence
from evaluate.audit.verdict import Limits, Verdict

GREYS = Limits(warn=0.05, fail=0.20)
DAMAGED = Limits(warn=0.02, fail=0.10)
GREY = 0.99  # share of neutral pixels: a greyscale picture
LOW, BLOCKS = 50, 0.4  # IJG's quality below which, and blockiness above which, blocks are seen: docs/data-quality.md
SHOWN = 6
COLUMNS = ("grey", "blockiness", "jpeg_quality")

Values = dict[str, NDArray[np.float64]]  # of each column [N], NaN where there is none


def check_pictures(evidence: Evidence) -> Iterator[Verdict]:
    """Greys, then JPEG damage: of all rows where a quality family is indexed, else of the pictures that were read."""
    values, places, by = _measured(evidence)
    wanted: dict[str, tuple[Callable[[Values], NDArray[np.bool_]], Limits, str, str]] = {
        "grey": (lambda of: of["grey"] > GREY, GREYS, "are greyscale", f"where: grey <= {GREY}"),
        "jpeg": (
            lambda of: (of["jpeg_quality"] < LOW) | (of["blockiness"] > BLOCKS),
            DAMAGED,
            f"are JPEG of a quality under {LOW}, or show its blocks",
            f"where: blockiness < {BLOCKS} AND (jpeg_quality >= {LOW} OR jpeg_quality IS NULL)",
        ),
    }
    for check, (is_bad, limits, what, where) in wanted.items():
        bad = places[is_bad(values)]
        share = len(bad) / len(places) if len(places) else 0.0
        state = limits.judge(share)
        remedy = f"annotate.py {evidence.dataset.root} quality, and keep them out by `{where}`"
        found = f"{len(bad)} of {len(places)} pictures{by} {what}"
        said, shown = (remedy, tuple(int(at) for at in bad[:SHOWN])) if state != "pass" else ("", ())
        yield Verdict(check, "", state, found, share, "share of rows", str(limits), said, shown)


def _measured(evidence: Evidence) -> tuple[Values, NDArray[np.int64], str]:
    """Values, of which rows, [N] places, and in words of which."""
    for family in evidence.families.values():
        table = family.index
        if table is not None and len(table) == len(evidence.index) and set(COLUMNS) <= set(table.column_names):
            alive = np.flatnonzero(evidence.alive())
            whole = {name: table[name].cast(pa.float64()).to_numpy() for name in COLUMNS}
            return {name: column[alive] for name, column in whole.items()}, alive, ""
    seen = {place: one for place, one in evidence.looks.items() if one}
    read = {name: np.array([_number(getattr(one, name)) for one in seen.values()]) for name in COLUMNS}
    return read, np.array(list(seen), np.int64), " that were read"


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
