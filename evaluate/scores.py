"""scores.parquet: every score of every sample, from which all else in a report is recomputed without a GPU."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from evaluate.measures.measure import Score

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
    ]
)
ORDER = [("key", "ascending"), ("draw", "ascending"), ("arm", "ascending"), ("measure", "ascending")]


def score_rows(
    scores: Mapping[str, Score], *, key: str, draw: int, seed: int, arm: str
) -> list[dict[str, str | int | float | None]]:
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
    table = pq.read_table(path)
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
    chosen = scores.filter(pc.equal(scores["measure"], measure))
    means = chosen.sort_by(ORDER).group_by(["key", "arm"], use_threads=False).aggregate([("value", "mean")])
    cells = {(row["key"], row["arm"]): row["value_mean"] for row in means.to_pylist()}
    keys = sorted({key for key, _ in cells})
    missing = next(((key, arm) for key in keys for arm in arms if (key, arm) not in cells), None)
    if missing is not None:
        raise ValueError(
            f"scores: sample {missing[0]} has no '{missing[1]}' score of {measure}. Evaluate the run again"
        )
    return keys, np.array([[cells[key, arm] for arm in arms] for key in keys], np.float64).reshape(len(keys), len(arms))
