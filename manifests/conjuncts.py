"""The conditions that `where` joins by AND, each as a text of its own, taken apart by the parser of DuckDB."""

import json
import re
from typing import Any

import duckdb

from manifests.where import parse

Tree = Any  # of JSON, as DuckDB serialises it
COMMENT = re.compile(r"--|/\*|\n")  # a text that may hold one is said in DuckDB's words


def conjuncts(where: str) -> list[str]:
    """Expressions that together say what `where` says: a row fulfils it if it fulfils each; one if there is no AND.

    Each stands as it was written where that can be told, else as DuckDB writes it, which is on one line and without
    comments. The AND of a BETWEEN, of a string, a comment, below an OR or a NOT parts nothing.

    Args:
        where: accepted by `manifests.where.check`.
    """
    wanted = _parts(_condition(where))
    texts: list[str] = []
    start = 0
    for stop, following in [*(match.span() for match in re.finditer(r"\bAND\b", where, re.IGNORECASE)), (None, 0)]:
        piece = where[start:stop].strip()
        found = _parts(_condition(piece))
        if found and _plain(found) == _plain(wanted[len(texts) : len(texts) + len(found)]):
            alone = len(found) == 1 and not COMMENT.search(piece)
            texts += [piece] if alone else map(_written, found)
            start = following
    return texts if len(texts) == len(wanted) else [_written(part) for part in wanted]


def _condition(where: str) -> Tree:
    """The tree of an expression; None if it is not one."""
    parsed = parse(where)
    if parsed.get("error") or len(parsed["statements"]) != 1:
        return None
    return parsed["statements"][0]["node"].get("where_clause")


def _parts(tree: Tree) -> list[Tree]:
    """What an AND joins, however deep in parentheses; the whole if it is none."""
    if tree is None:
        return []
    if tree["type"] != "CONJUNCTION_AND":
        return [tree]
    return [part for child in tree["children"] for part in _parts(child)]


def _plain(tree: Tree) -> Tree:
    """The tree without places in the text."""
    if isinstance(tree, list):
        return [_plain(child) for child in tree]
    if isinstance(tree, dict):
        return {name: _plain(child) for name, child in tree.items() if name != "query_location"}
    return tree


def _written(tree: Tree) -> str:
    """The expression as DuckDB writes it, without the parentheses that it puts around every operator."""
    statement = parse("true")
    statement["statements"][0]["node"]["where_clause"] = tree
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("SELECT json_deserialize_sql(?)", [json.dumps(statement)]).fetchone()
    assert found is not None
    text = found[0].split(" WHERE ", 1)[1]
    return text[1:-1] if text.startswith("(") else text
