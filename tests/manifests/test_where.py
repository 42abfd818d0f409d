"""`where` takes one scalar expression and nothing that reaches further."""

import numpy as np
import pyarrow as pa
import pytest

from manifests.conjuncts import conjuncts
from manifests.where import check, select

TABLES = {
    "rows": pa.table({"key": ["a", "b", "c", "d"], "width": [10, 20, 30, 40]}),
    "canny": pa.table({"status": ["ok", "ok", "empty", "ok"], "edge_density": [0.1, 0.2, None, 0.4]}),
}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("edge_density BETWEEN 0.05 AND 0.2", [True, True, False, False]),
        ("canny.edge_density > 0.1 AND rows.width < 40", [False, True, False, False]),
        ("canny.status = 'ok' OR width IN (30)", [True, True, True, True]),
        ("edge_density IS NULL", [False, False, True, False]),
        ("lower(key) LIKE 'a%' -- a comment", [True, False, False, False]),
        ("CASE WHEN width > 20 THEN edge_density > 0.3 ELSE false END", [False, False, False, True]),
    ],
)
def test_a_scalar_expression_selects_rows(where: str, expected: list[bool]) -> None:
    assert np.array_equal(select(where, TABLES), expected)


@pytest.mark.parametrize(
    "where",
    [
        "width > (SELECT 1)",
        "EXISTS (SELECT 1)",
        "width IN (SELECT width FROM rows)",
        "count(*) > 1",
        "max(width) = 40",
        "row_number() OVER () = 1",
        "random() < 0.5",
        "uuid() = 'a'",
        "read_text('/etc/passwd') = ''",
        "width > 1) UNION SELECT (true",
        "true) GROUP BY (1",
        "true) ORDER BY (1",
        "true) LIMIT (1",
        "true); DROP TABLE rows; SELECT (1",
        "list_filter([1], x -> x > 0) = [1]",
        "getenv('HOME') = ''",
        "current_setting('threads') = 1",
        "pg_catalog.lower(key) = 'a'",
        "width >",
        "",
    ],
)
def test_anything_more_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="where"):
        check(where)


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"edge_densty.*edge_density"):
        select("edge_densty > 0.1", TABLES)


def test_an_expression_may_be_nested_deep() -> None:
    where = "NOT " * 198 + "width > 20"
    assert select(where, TABLES).tolist() == [False, False, True, True]
    assert conjuncts(where) == [where]


@pytest.mark.parametrize("depth", [250, 900, 3_000])
@pytest.mark.parametrize(("before", "after"), [("NOT ", ""), ("- ", ""), ("abs(", ")")])
def test_an_expression_that_is_nested_too_deep_is_refused_in_words(depth: int, before: str, after: str) -> None:
    with pytest.raises(ValueError, match=r"where .*(too deep|depth|stack|memory)"):
        check(before * depth + "width" + after * depth)
