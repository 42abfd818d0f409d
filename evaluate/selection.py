"""Which rows of a dataset a page is about, and the columns of the index by which it chooses among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import ROWS, index_path, index_schema, read_index
from manifests.removed import taken_down
from manifests.salt import salted
from manifests.splits.hashes import is_hash
from manifests.storage import read_metadata
from manifests.where import check, select

WHERE_FOUND = [
    "key",
    "part",
    "shard",
    "row",
    "split",
    "picture",
    "removed",
    "cluster",
    "cluster_size",
    "best_of_cluster",
]
SALT = "gallery"


@dataclass(frozen=True)
class Column:
    """One column of the index: of a family, or of `rows`."""

    family: str
    name: str
    kind: pa.DataType

    @property
    def title(self) -> str:
        """As a user writes it."""
        return self.name if self.family == ROWS else f"{self.family}.{self.name}"


@dataclass(frozen=True)
class Selection:
    """Rows of an index.

    Attributes:
        index: `WHERE_FOUND` of every row.
        shown: [N] bool, rows that were not taken down.
        places: [M] int64, ascending: those of them that are meant.
        cards: families that have every row.
        schemas: columns of their index tables, and of `rows`.
    """

    dataset: Dataset
    index: pa.Table
    shown: NDArray[np.bool_]
    places: NDArray[np.int64]
    cards: Mapping[str, FamilyCard]
    schemas: Mapping[str, pa.Schema]
    where: str

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """[N], of the key of every row: the order in which rows are drawn."""
        return salted(self.index["key"], SALT)

    def order(self, title: str) -> NDArray[np.uint64]:
        """[N]: another such order for each title, by a bijection of the hashes, so that sections show other rows."""
        odd = int.from_bytes(sha256(title.encode()).digest()[:8]) | 1
        return self.hashes * np.uint64(odd)

    @cached_property
    def part(self) -> NDArray[np.bool_] | None:
        """Of the rows shown those that `where` keeps; None without it."""
        return np.isin(np.flatnonzero(self.shown), self.places, assume_unique=True) if self.where else None

    def read(self, column: Column) -> pa.ChunkedArray:
        """One column, of every row."""
        return read_index(self.dataset, column.family, [column.name])[column.name]

    def column(self, text: str) -> Column:
        """The column that a user names, as edge_density or canny.edge_density.

        Raises:
            ValueError: there is none, or several families have it.
        """
        family, _, name = text.rpartition(".")
        homes = [family] if family else [home for home, schema in self.schemas.items() if name in schema.names]
        if ROWS in homes:
            homes = [ROWS]
        if len(homes) > 1:
            raise ValueError(f"--by {text}: {', '.join(homes)} have it. Name one of them: --by {homes[0]}.{name}")
        if not homes or homes[0] not in self.schemas or name not in self.schemas[homes[0]].names:
            there = [
                field if home == ROWS else f"{home}.{field}"
                for home in self.schemas
                for field in self.schemas[home].names
            ]
            near = get_close_matches(text, there, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"--by {text}: no such column of the index.{hint} There are {', '.join(there)}")
        return Column(homes[0], name, self.schemas[homes[0]].field(name).type)


def select_rows(dataset: Dataset, where: str = "") -> Selection:
    """The rows of an indexed dataset that fulfil `where`, an expression over its columns (`manifests.where`).

    Raises:
        ValueError: it is not indexed, has no whole family, `where` is refused, or no row is left.
    """
    index = read_index(dataset, ROWS, WHERE_FOUND)
    cards = {family: dataset.card(family) for family in dataset.families() if _covers(dataset, family, len(index))}
    if not cards:
        raise ValueError(
            f"{dataset.root}: no whole condition that can be shown. "
            f"Make one: python pipelines/annotate.py {dataset.root} canny"
        )
    schemas = {name: index_schema(dataset, name) for name in (ROWS, *cards)}
    shown = ~pc.or_(index["removed"], taken_down(dataset, index["picture"])).to_numpy()
    kept = shown & _kept(dataset, where, schemas) if where else shown
    places = np.flatnonzero(kept)
    if not len(places):
        found = f"where {where!r} keeps none of {int(shown.sum()):,} rows. Widen it" if where else "it has no rows"
        raise ValueError(f"{dataset.root}: {found}")
    return Selection(dataset, index, shown, places, cards, schemas, where)


def measures(selection: Selection, family: str) -> list[Column]:
    """Stats of a family that can be ordered: all but hashes."""
    fields = [selection.schemas[family].field(name) for name in selection.cards[family].stats]
    return [Column(family, field.name, field.type) for field in fields if not is_hash(field.name)]


def _covers(dataset: Dataset, family: str, rows: int) -> bool:
    path = index_path(dataset, family)
    return path.exists() and read_metadata(path).num_rows == rows


def _kept(dataset: Dataset, where: str, schemas: Mapping[str, pa.Schema]) -> NDArray[np.bool_]:
    """Which rows fulfil `where`; only the columns that it names are read."""
    select(where, {name: schema.empty_table() for name, schema in schemas.items()})  # refused before much is read
    named = {name.lower() for column in check(where) for name in column}  # SQL minds no case
    needed = {
        name: [field for field in schema.names if field.lower() in named or (name, field) == (ROWS, "row")]
        for name, schema in schemas.items()
    }
    return select(where, {name: read_index(dataset, name, fields) for name, fields in needed.items() if fields})
