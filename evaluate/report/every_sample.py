"""Every sample of an evaluation, small, so that a page can sort and filter all of them without asking anybody."""

import base64
import json
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from evaluate.adherence import ADHERENCE
from evaluate.pictures import find_strips
from evaluate.scores import first_draw
from evaluate.strata import is_number

DIGITS = 4  # after the point


def every_sample(scores: pa.Table, traits: pa.Table, pictures: Path, *, annotator: str) -> dict[str, Any]:
    """The first draw of every sample: its strip, its caption, its scores under the control and its traits.

    Args:
        scores: rows of scores.parquet.
        traits: of `evaluate.traits`.
        pictures: folder of the pictures' Parquet files.
        annotator: whose measures are shown.

    Returns:
        By column, for JSON, sorted by key.
    """
    strips = find_strips(pictures)
    measures = ADHERENCE[annotator].measures
    columns = {measure.name: first_draw(scores, measure.name) for measure in measures}
    keys = sorted(set(columns[measures[0].name]) & set(strips))
    return {
        "keys": keys,
        "captions": [strips[key].caption for key in keys],
        "strips": [base64.b64encode(strips[key].picture).decode() for key in keys],
        "measures": {name: [_short(values[key]) for key in keys] for name, values in columns.items()},
        "higher": {measure.name: measure.higher_is_better for measure in measures},
        "traits": _traits(traits, keys),
    }


def as_script(data: dict[str, Any]) -> Markup:
    """JSON that may stand in a script element: no word of a caption can end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def read_script(path: Path) -> tuple[Markup, str]:
    """A script to stand in a page, and its hash, base64 of sha256, by which a policy lets it and no other run."""
    text = path.read_text(encoding="utf-8")
    return Markup(text), base64.b64encode(sha256(text.encode()).digest()).decode()


def _traits(traits: pa.Table, keys: list[str]) -> dict[str, list[float | None]]:
    """Traits that are numbers and not the same everywhere."""
    at = pc.index_in(pa.array(keys, pa.string()), value_set=traits["key"].combine_chunks())
    named = [name for name in traits.column_names if name != "key" and is_number(traits[name].type)]
    columns = {name: pc.cast(traits[name], pa.float64(), safe=False).take(at).to_pylist() for name in named}
    return {
        name: [_short(value) for value in values]
        for name, values in columns.items()
        if len(np.unique([value for value in values if value is not None])) > 1
    }


def _short(value: float | None) -> float | None:
    return round(value, DIGITS) if value is not None and isfinite(value) else None
