"""The columns one may filter and order by, as `where` writes them."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import duckdb
import pyarrow as pa

from manifests.index import ROWS
from manifests.where import check

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Column:
    """One column of the index.

    Attributes:
        address: as `where` writes it, the same whatever condition is chosen.
        type: of Arrow, in words.
    """

    table: str
    name: str
    address: str
    kind: Literal["number", "truth", "words"]
    type: str


def columns_of(tables: Mapping[str, pa.Table]) -> dict[str, Column]:
    """All columns by address, in the order of the tables."""
    found = {}
    for table, held in tables.items():
        others = {name.lower() for other in tables if other != table for name in tables[other].column_names}
        for field in held.schema:
            value = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            bare = table == ROWS and field.name.lower() not in others
            address = _quoted(field.name) if bare else f"{_quoted(table)}.{_quoted(field.name)}"
            number = pa.types.is_integer(value) or pa.types.is_floating(value)
            kind: Literal["number", "truth", "words"] = "number" if number else "words"
            kind = "truth" if pa.types.is_boolean(value) else kind
            found[address] = Column(table, field.name, address, kind, str(value))
    return found


def literal(value: object) -> str:
    """A value as SQL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def nearest(where: str, columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The first name in an expression that is no column's, and the address of the one that was meant, if one is near.

    Args:
        where: that was refused.
    """
    try:
        named = check(where)
    except ValueError:
        return None
    known = {name.lower() for column in columns.values() for name in (column.name, column.address, column.table)}
    for names in named:
        written = ".".join(names)
        if not {written.lower(), names[-1].lower()} <= known:
            meant = _near(names, columns)
            return (written, meant) if meant else None
    return None


def _near(names: Sequence[str], columns: Mapping[str, Column]) -> str | None:
    by_name = {address.lower(): address for address in columns}
    by_name |= {column.name.lower(): column.address for column in reversed(list(columns.values()))}
    for written in (".".join(names).lower(), names[-1].lower()):
        found = difflib.get_close_matches(written, by_name, 1)
        if found:
            return by_name[found[0]]
    return None


def _quoted(name: str) -> str:
    """A name, in quotes where SQL would not take it for one."""
    plain = PLAIN.fullmatch(name) and name.lower() not in _reserved()
    return name if plain else '"' + name.replace('"', '""') + '"'


@cache
def _reserved() -> frozenset[str]:
    """Words that SQL keeps for itself."""
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect(":memory:") as connection:
        return frozenset(word for (word,) in connection.execute(query).fetchall())
