"""The quality of an evaluation's pictures: a line per measure, recomputed from quality.parquet without a GPU."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from evaluate.quality.discrepancy import cubic, gaussian
from evaluate.quality.look import NAME, SCHEMA
from evaluate.quality.measures import AESTHETIC, CLIP_SCORE, CMMD, FID, KID, MEASURES, Measure
from evaluate.quality.numbers import Numbers, left_out, of_frechet, of_kernel, of_scores
from evaluate.second_look import IDENTITY_FILE

NUMBERS: dict[str, Callable[..., Numbers]] = {  # by measure
    KID.name: partial(of_kernel, kernel=cubic),
    CMMD.name: partial(of_kernel, kernel=gaussian),
    FID.name: of_frechet,
    CLIP_SCORE.name: of_scores,
    AESTHETIC.name: of_scores,
}


@dataclass(frozen=True)
class Line:
    """One measure in every arm.

    Attributes:
        name: measure@network, as `clip_score@openai/clip-vit-base-patch16`: no two networks' numbers are comparable.
    """

    name: str
    measure: Measure
    numbers: Numbers


def quality_of(folder: Path) -> tuple[Line, ...]:
    """The lines of all measures; those whose network was absent say so, and where to get its weights.

    Args:
        folder: of an evaluation that was looked at by `evaluate.quality.look.QualityLook`.

    Raises:
        ValueError: It was not, or its file is of another version.
    """
    rows, networks = read_quality(folder)
    return tuple(_line(measure, rows, networks[measure.network]) for measure in MEASURES)


def read_quality(folder: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Rows of quality.parquet, and the networks as the look's identity has them."""
    path, identity = folder / f"{NAME}.parquet", folder / NAME / IDENTITY_FILE
    for needed in (path, identity):
        if not needed.is_file():
            raise ValueError(f"{needed}: no quality was measured here. Look: python pipelines/look.py RUN quality")
    rows = pq.read_table(path)
    if rows.schema.names != SCHEMA.names:
        raise ValueError(
            f"{path}: not of this version (columns {', '.join(rows.schema.names)}). Delete {folder / NAME}, and look "
            "again"
        )
    return rows, dict(json.loads(identity.read_text(encoding="utf-8"))["networks"])


def _line(measure: Measure, rows: pa.Table, network: dict[str, Any]) -> Line:
    name = f"{measure.name}@{network['title']}"
    if network["absent"]:
        return Line(name, measure, left_out(network["absent"]))
    return Line(name, measure, NUMBERS[measure.name](rows, network=measure.network))
