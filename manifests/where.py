"""`where`: one scalar SQL expression over the index, checked, then run where nothing else can be reached."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DEEPEST = 200  # expressions within one another: what takes one apart calls itself for each
ALLOWED_CLASSES = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR", "TYPE"}
)
ALLOWED_FUNCTIONS = frozenset(
    {
        *("+", "-", "*", "/", "//", "%", "**", "^", "||", "~~", "!~~", "~~*", "!~~*", "like_escape"),
        *("abs", "ceil", "floor", "round", "sqrt", "ln", "log", "log2", "log10", "exp", "pow", "least", "greatest"),
        *("lower", "upper", "length", "strlen", "contains", "starts_with", "ends_with", "prefix", "suffix", "trim"),
        *("regexp_matches", "isnan", "isfinite", "ifnull", "nullif", "list_contains"),
    }
)
OVER_ALL = ("best_of_cluster", "cluster_size", "caption_repeats")  # columns whose values later parts change


@dataclass(frozen=True)
class Truth:
    """What an expression says of every row.

    Attributes:
        fulfilled: [N] bool; false too where the expression is NULL.
        unknown: [N] bool; the expression is NULL.
    """

    fulfilled: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


def check(where: str) -> list[tuple[str, ...]]:
    """Accept one scalar expression over columns, and nothing else that SQL can say.

    Returns:
        The columns it names, as written: ("edge_density",) or ("canny", "edge_density").

    Raises:
        ValueError: It does not parse, or holds a subquery, an aggregate, a window, a random or file function …
    """
    parsed = parse(where)
    if parsed.get("error"):
        raise ValueError(f"where {where!r}: {parsed['error_message']}")
    if len(parsed["statements"]) != 1:
        raise ValueError(f"where {where!r} holds several statements; it takes one scalar expression")
    node = parsed["statements"][0]["node"]
    if _around(node) != _around(parse("true")["statements"][0]["node"]):
        raise ValueError(f"where {where!r} goes beyond one scalar expression (GROUP BY, ORDER BY, UNION and the like)")
    columns = []
    for depth, expression in _expressions(node["where_clause"]):
        if depth > DEEPEST:
            raise ValueError(_too_deep(where))
        _refuse(expression, where)
        if expression["class"] == "COLUMN_REF":
            columns.append(tuple(expression["column_names"]))
    return columns


def select(where: str, tables: Mapping[str, pa.Table]) -> NDArray[np.bool_]:
    """Which rows fulfil `where`.

    Args:
        tables: name → table; all have the same rows in the same order. A column is named bare, or as table.column where
            two tables have it.

    Returns:
        [N] bool; a row for which the expression is NULL does not fulfil it.

    Raises:
        ValueError: The expression is refused, or names no such column.
    """
    (truth,) = truths([where], tables)
    return truth.fulfilled


def truths(expressions: Sequence[str], tables: Mapping[str, pa.Table]) -> list[Truth]:
    """What each expression says of every row, found in one pass; arguments and errors as of `select`."""
    for expression in expressions:
        check(expression)
    first, *others = tables
    joined = f'"{first}"' + "".join(f' POSITIONAL JOIN "{name}"' for name in others)
    wanted = ", ".join(f"CAST((\n{said}\n) AS BOOLEAN) AS truth{place}" for place, said in enumerate(expressions))
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        connection.execute("SET lock_configuration = true")
        try:
            found = connection.execute(f"SELECT {wanted} FROM {joined}").fetchnumpy()
        except duckdb.Error as error:
            listed = "; ".join(f"{name}: {', '.join(table.column_names)}" for name, table in tables.items())
            message = str(error).splitlines()[0]
            raise ValueError(f"where {expressions[0]!r}: {message}. Columns are {listed}") from error
    return [
        Truth(np.ma.filled(column, False).astype(bool, copy=False), np.ma.getmaskarray(column))
        for column in found.values()
    ]


def _refuse(expression: Mapping[str, Any], where: str) -> None:
    kind = expression["class"]
    if kind not in ALLOWED_CLASSES:
        raise ValueError(f"where {where!r} holds a {kind.lower()}, not just a scalar expression over index columns")
    if kind == "FUNCTION":
        name = expression["function_name"].lower()
        if name not in ALLOWED_FUNCTIONS or expression["schema"] or expression["catalog"]:
            named = ", ".join(sorted(name for name in ALLOWED_FUNCTIONS if name.isidentifier()))
            raise ValueError(f"where {where!r} calls {name}(), which is not among {named}")


def _expressions(tree: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every expression in a parsed tree and how many it is within, parents first."""
    left = [(0, tree)]
    while left:
        depth, node = left.pop()
        if isinstance(node, dict):
            if "class" in node:
                yield depth, node
                depth += 1
            left.extend((depth, child) for child in reversed(node.values()))
        elif isinstance(node, list):
            left.extend((depth, child) for child in reversed(node))


def parse(where: str) -> Any:
    """The tree that DuckDB's own parser makes of a SELECT with this WHERE, or its `error` and `error_message`.

    Raises:
        ValueError: it is nested too deep.
    """
    try:
        return json.loads(_serialised(where))
    except RecursionError as error:
        raise ValueError(_too_deep(where)) from error


def _too_deep(where: str) -> str:
    return f"where {where[:40]!r} …: the expression is nested too deep, more than {DEEPEST} in one another"


@lru_cache(maxsize=256)  # a connection takes 14 ms, and one `where` is looked at again and again
def _serialised(where: str) -> str:
    with duckdb.connect(":memory:") as connection:
        query = f"SELECT 1 FROM rows WHERE (\n{where}\n)"
        found = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    assert found is not None
    return str(found[0])


def _around(node: Mapping[str, Any]) -> dict[str, Any]:
    """All that a SELECT has beside columns, table and WHERE: grouping, ordering, limits …"""
    return {name: value for name, value in node.items() if name not in ("where_clause", "select_list", "from_table")}


def check_pinned(where: str, parts: Sequence[int]) -> None:
    """Refuse to choose among pinned parts by what later parts change.

    Raises:
        ValueError: Names the column.
    """
    named = {columns[-1].lower() for columns in (check(where) if where else [])}  # SQL minds no case
    counted = next((name for name in OVER_ALL if name in named), "")
    if counted:
        raise ValueError(
            f"where: {counted} is of all parts, which grow, and parts = {list(parts)} pins some. Leave one out"
        )
