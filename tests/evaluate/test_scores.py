from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluate.measures.measure import Score
from evaluate.scores import SCHEMA, gather, matrix, read_scores, score_rows


def scored(key: str, arm: str, value: float, *, draw: int = 0) -> pa.Table:
    rows = score_rows({"f1": Score(value)}, key=key, draw=draw, seed=1, arm=arm)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_scores_are_the_same_whichever_worker_made_them_first() -> None:
    tables = [scored(key, arm, 0.1, draw=draw) for key in "abc" for arm in ("floor", "controlled") for draw in (0, 1)]
    assert gather(tables).equals(gather(tables[::-1]))


def test_the_draws_of_a_sample_are_averaged() -> None:
    table = gather([scored("a", "floor", 0.2), scored("a", "floor", 0.4, draw=1), scored("b", "floor", 1.0)])
    keys, values = matrix(table, measure="f1", arms=["floor"])
    assert keys == ["a", "b"]
    assert np.allclose(values, [[0.3], [1.0]])


def test_a_sample_that_lacks_an_arm_is_named() -> None:
    table = gather([scored("a", "floor", 0.2), scored("b", "floor", 0.2), scored("a", "controlled", 0.2)])
    with pytest.raises(ValueError, match="sample b has no 'controlled' score of f1"):
        matrix(table, measure="f1", arms=["floor", "controlled"])


def test_only_scores_are_read_as_scores(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are no scores"):
        read_scores(tmp_path / "scores.parquet")
    pq.write_table(pa.table({"loss": [0.1]}), tmp_path / "scores.parquet")
    with pytest.raises(ValueError, match="these are not scores"):
        read_scores(tmp_path / "scores.parquet")


def test_a_truncated_file_of_scores_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    pq.write_table(gather([scored("a", "floor", 0.2)]), path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"scores.parquet: it is no whole Parquet file"):
        read_scores(path)
