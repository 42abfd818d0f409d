"""The index of a dataset, held in memory once: what is known of every row that was not taken down."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import ROWS, index_path, read_index
from manifests.removed import taken_down
from train.hints import HINTS

NAMES = ("key", "cluster", "picture")  # which nearly every row has its own of
FEW = 64  # different values; a column of words with no more is held as a dictionary
Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Held:
    """Tables of equal length, in the order of the shards.

    Attributes:
        tables: by the name that `where` knows them by: "rows" first, then families.
        cards: of the families whose index is whole.
        lacking: family → why it is not among them.
        removed: how many rows were taken down, and are in no table.
    """

    dataset: Dataset
    tables: dict[str, pa.Table]
    cards: dict[str, FamilyCard]
    lacking: dict[str, str]
    removed: int

    def __len__(self) -> int:
        return len(self.tables[ROWS])

    @property
    def drawable(self) -> list[str]:
        """Families of which a picture can be drawn, and which a manifest may train on."""
        return [family for family, card in self.cards.items() if card.kind in HINTS]

    def find(self, shard: str, row: int) -> int | None:
        """The place of a row in the tables; None where there is none, or none that may be shown."""
        if shard not in self._numbers or not 0 <= row < 2**31:
            return None
        wanted = self._numbers[shard] << 32 | row
        place = int(np.searchsorted(self._addresses, wanted))
        return place if place < len(self) and self._addresses[place] == wanted else None

    def known(self, places: Sequence[int]) -> list[dict[str, Record]]:
        """What the tables say of some rows: for each, table → column → value."""
        at = pa.array(places, pa.int64())
        taken = {name: table.take(at).to_pylist() for name, table in self.tables.items()}
        return [{name: rows[number] for name, rows in taken.items()} for number in range(len(places))]

    @cached_property
    def clusters(self) -> NDArray[np.int32]:
        """Number of each row's cluster of duplicates: [N], from 0, in order of appearance."""
        return np.asarray(self.tables[ROWS]["cluster"].combine_chunks().dictionary_encode().indices)

    @cached_property
    def _shards(self) -> pa.DictionaryArray:
        """Name of each row's shard; their numbers ascend, for rows lie in the order of the shards."""
        return self.tables[ROWS]["shard"].cast(pa.string()).combine_chunks().dictionary_encode()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._shards.dictionary.to_pylist())}

    @cached_property
    def _addresses(self) -> NDArray[np.int64]:
        """Shard and row of each place as one ascending number: [N]."""
        return np.asarray(self._shards.indices, dtype=np.int64) << 32 | self.tables[ROWS]["row"].to_numpy()


def hold(dataset: Dataset) -> Held:
    """Read the index of rows and of all families that have a whole one.

    Raises:
        ValueError: the dataset is not indexed.
    """
    rows = read_index(dataset, ROWS)
    shown = pc.invert(pc.or_(rows["removed"], taken_down(dataset, rows["picture"])))
    tables, cards, lacking = {ROWS: _packed(rows.drop_columns(["removed", "picture"]).filter(shown))}, {}, {}
    for family in dataset.families():
        if not index_path(dataset, family).exists():
            missing = len(dataset.missing(family))
            lacking[family] = f"{missing} of {len(dataset.shards())} shards are missing" if missing else "not indexed"
            continue
        table = read_index(dataset, family)
        if len(table) != len(rows):
            lacking[family] = f"its index covers {len(table):,} of {len(rows):,} rows"
            continue
        tables[family] = _packed(table.filter(shown))
        cards[family] = dataset.card(family)
    return Held(dataset, tables, cards, lacking, len(rows) - len(tables[ROWS]))


def _packed(table: pa.Table) -> pa.Table:
    """In one piece, words that repeat themselves as a dictionary."""
    table = table.unify_dictionaries().combine_chunks()
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name not in NAMES:
            encoded = table[field.name].combine_chunks().dictionary_encode()
            if len(encoded.dictionary) <= FEW:
                table = table.set_column(place, field.name, encoded)
    return table
