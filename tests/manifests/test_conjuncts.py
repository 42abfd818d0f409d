"""`where` is taken apart at the ANDs that join conditions, and at no other."""

import numpy as np
import pyarrow as pa
import pytest

from manifests.conjuncts import conjuncts
from manifests.where import check, select, truths

TABLES = {
    "rows": pa.table({"key": ["a", " AND ", "it's", "d"], "width": [10, 20, 30, None], "height": [9, 8, 7, 6]}),
    "canny": pa.table({"status": ["ok", "ok", "empty", "ok"], "edge_density": [0.1, 0.2, None, 0.4]}),
}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("width > 3", ["width > 3"]),
        ("edge_density BETWEEN 0.1 AND 0.2 AND width >= 20", ["edge_density BETWEEN 0.1 AND 0.2", "width >= 20"]),
        ("width NOT BETWEEN 1 and 2 And height > 1", ["width NOT BETWEEN 1 and 2", "height > 1"]),
        ("key = ' AND ' AND width > 1", ["key = ' AND '", "width > 1"]),
        ("key <> 'it''s AND' AND width > 1", ["key <> 'it''s AND'", "width > 1"]),
        ("width > 1 OR height > 7 AND width < 9", ["width > 1 OR height > 7 AND width < 9"]),
        ("(width > 1 OR height > 7) AND width < 99", ["(width > 1 OR height > 7)", "width < 99"]),
        ("width > 1 AND (height > 7 AND (width < 99))", ["width > 1", "height > 7", "width < 99"]),
        ("NOT (width > 11 AND height > 7) AND key LIKE 'a%'", ["NOT (width > 11 AND height > 7)", "key LIKE 'a%'"]),
        ("width > 1 -- and AND so on\n AND height > 2", ["width > 1", "height > 2"]),
        ("width > 1 AND /* AND width < 0 */ height > 2", ["width > 1", "height > 2"]),
        ("CASE WHEN width > 1 AND height > 7 THEN true ELSE false END AND width > 0", None),
        ("canny.status = 'ok' AND width > 0 AND width > 0", ["canny.status = 'ok'", "width > 0", "width > 0"]),
        ("key <> 'ü AND ö' AND width > 1", ["key <> 'ü AND ö'", "width > 1"]),
    ],
)
def test_conditions_are_found_as_they_were_written(where: str, expected: list[str] | None) -> None:
    found = conjuncts(where)
    if expected:
        assert found == expected
    for part in found:
        check(part)
    together = np.logical_and.reduce([truth.fulfilled for truth in truths(found, TABLES)])
    assert np.array_equal(together, select(where, TABLES))


def test_a_condition_is_fulfilled_or_not_or_unknown() -> None:
    (truth,) = truths(["width > 15"], TABLES)
    assert truth.fulfilled.tolist() == [False, True, True, False]
    assert truth.unknown.tolist() == [False, False, False, True]
