"""scores.parquet: every score of every sample, from which all else in a report is recomputed without a GPU."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from evaluate.anchors import CONTROLLED
from evaluate.measures.measure import Score

SCORES_FILE = "scores.parquet"
SCHEMA = pa.schema(
    [
        ("key", pa.string()),  # of the record
        ("draw", pa.int32()),  # 0, 1, …: how often the sample was drawn, each time from another seed
        ("seed", pa.int64()),  # of the noise the picture was drawn from
        ("arm", pa.string()),  # controlled, swapped, floor, ceiling or oracle
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("matched_drawn", pa.float64()),
        ("drawn", pa.float64()),
        ("matched_asked", pa.float64()),
        ("asked", pa.float64()),
        ("evidence", pa.map_(pa.string(), pa.list_(pa.float64()))),  # what a measure of many pictures is made from
    ]
)
ORDER = [("key", "ascending"), ("draw", "ascending"), ("arm", "ascending"), ("measure", "ascending")]


def score_rows(scores: Mapping[str, Score], *, key: str, draw: int, seed: int, arm: str) -> list[dict[str, Any]]:
    """Rows of scores.parquet for one picture of one arm, by measure."""
    return [
        {
            "key": key,
            "draw": draw,
            "seed": seed,
            "arm": arm,
            "measure": measure,
            "value": score.value,
            "matched_drawn": score.matched_drawn,
            "drawn": score.drawn,
            "matched_asked": score.matched_asked,
            "asked": score.asked,
            "evidence": [(name, values) for name, values in score.evidence.items()] or None,
        }
        for measure, score in scores.items()
    ]


def gather(tables: Iterable[pa.Table]) -> pa.Table:
    """Put tables of scores together in one order, whichever worker made them and whenever."""
    return pa.concat_tables([table.cast(SCHEMA) for table in tables]).sort_by(ORDER)


def read_scores(path: Path) -> pa.Table:
    """Read scores.parquet, refusing any other file."""
    if not path.is_file():
        raise ValueError(f"{path}: there are no scores. Make them: python pipelines/evaluate.py RUN")
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path}: it is no whole Parquet file ({error}). Evaluate the run again") from error
    if table.schema.names != SCHEMA.names:
        raise ValueError(
            f"{path}: these are not scores (columns {', '.join(table.schema.names)}). Evaluate the run again"
        )
    return table.cast(SCHEMA).sort_by(ORDER)


def matrix(scores: pa.Table, *, measure: str, arms: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """One measure as samples by arms, the draws of a sample averaged.

    Args:
        scores: a table of SCHEMA, in any order.
        measure: its name.
        arms: K arms, each of which must have scored every sample.

    Returns:
        The N keys in ascending order, and [N, K] float64.
    """
    narrow = scores.select(["key", "draw", "arm", "measure", "value"])
    chosen = narrow.filter(pc.equal(narrow["measure"], measure)).sort_by(ORDER)
    means = chosen.group_by(["key", "arm"], use_threads=False).aggregate([("value", "mean")])
    cells = dict(
        zip(zip(means["key"].to_pylist(), means["arm"].to_pylist(), strict=True), means["value_mean"], strict=True)
    )
    keys = sorted({key for key, _ in cells})
    missing = next(((key, arm) for key in keys for arm in arms if (key, arm) not in cells), None)
    if missing is not None:
        raise ValueError(
            f"scores: sample {missing[0]} has no '{missing[1]}' score of {measure}. Evaluate the run again"
        )
    values = [[cells[key, arm].as_py() for arm in arms] for key in keys]
    return keys, np.array(values, np.float64).reshape(len(keys), len(arms))


def of(scores: pa.Table, *, measure: str, arm: str) -> pa.Table:
    """The rows of one measure in one arm, sorted by key and draw."""
    wanted = pc.and_(pc.equal(scores["measure"], measure), pc.equal(scores["arm"], arm))
    return scores.filter(wanted).sort_by(ORDER)


def first_draw(scores: pa.Table, measure: str) -> dict[str, float]:
    """What the controlled picture of each sample's first draw scores, the one that pages show: by key, ascending."""
    rows = of(scores.drop_columns(["evidence"]), measure=measure, arm=CONTROLLED)
    first = rows.filter(pc.equal(rows["draw"], 0))
    return dict(zip(first["key"].to_pylist(), first["value"].to_pylist(), strict=True))
