"""Which rows a state means, in which order; what was found is kept, so that turning a page costs a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.browse.bins import Bins, bins_of
from evaluate.browse.cache import Cache
from evaluate.browse.columns import Column, columns_of
from evaluate.browse.held import Held
from evaluate.browse.state import DRAW, State
from manifests.index import ROWS
from manifests.record import STATUSES
from manifests.salt import salted_order
from manifests.splits.splits import NAMES
from manifests.subset import draw_order
from manifests.where import check, select

Mask = NDArray[np.bool_]
Order = NDArray[np.int32]
ROOM = 192 << 20  # bytes of each: filters, selections, orders; of 20 million rows one takes 20, up to 100 and 80 MB
QUESTION = 16 << 10  # bytes of what was asked, beside what was found
COUNTED = 32  # of each some kilobytes


@dataclass(frozen=True)
class Asked:
    """What of a state decides its rows.

    Attributes:
        chosen: address of a column and the label of one of its bins, for each facet.
        seed: None where nothing hangs on it.
    """

    where: str
    condition: str
    chosen: tuple[tuple[str, str], ...]
    drawn: bool = False
    seed: int | None = None
    order: str = ""
    down: bool = False


@dataclass(frozen=True, eq=False)
class Selection:
    """Rows that were asked for.

    Attributes:
        places: [n] int32, in the tables, in the order asked for.
        mask: [N] bool.
    """

    places: Order
    mask: Mask

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self.places.nbytes + self.mask.nbytes


class Search:
    """Finds rows of what is held.

    Args:
        room: bytes of filters, of selections and of orders that are kept, each.
    """

    def __init__(self, held: Held, *, room: int = ROOM) -> None:
        self.held = held
        self.columns: dict[str, Column] = columns_of(held.tables)
        self.addresses = {(column.table, column.name): address for address, column in self.columns.items()}
        self._filters: Cache[Mask] = Cache(room, _weight)
        self._selections: Cache[Selection] = Cache(room, _weight)
        self._orders: Cache[Order] = Cache(room, _weight)
        self._counted = lru_cache(COUNTED)(self._count)

    def select(self, state: State) -> Selection:
        """The rows of a state.

        Raises:
            ValueError: `where` is refused, or the state names what the dataset has not.
        """
        return self._selected(self._asked(state))

    @property
    def taken(self) -> int:
        """Bytes of what is kept."""
        return self._filters.taken + self._selections.taken + self._orders.taken

    def counts(self, state: State) -> Mapping[str, NDArray[np.int64]]:
        """Of each column that has bins, by address, how many of the state's rows are in each; raises as `select`."""
        return self._counted(replace(self._asked(state), order="", down=False))

    def facet(self, state: State, address: str) -> list[tuple[str, int]]:
        """Values of a column, and how many rows of each there would be if it alone were not chosen by."""
        asked = self._asked(state)
        mask = self._faceted(asked, tuple(facet for facet in asked.chosen if facet[0] != address))
        bins = self.bins[address]
        return list(zip(bins.labels, bins.within(mask).tolist(), strict=True))

    def drawn(self, state: State) -> int:
        """How many rows a manifest of this state may take: clusters, for it takes one row of each."""
        assert state.condition, "a manifest has a condition"
        return int(np.count_nonzero(np.bincount(self.held.clusters[self._eligible(self._asked(state))])))

    def facets(self, state: State) -> list[tuple[str, str]]:
        """Which values of which columns, by address, were chosen beside `where`; a manifest's split is train."""
        chosen = [(ROWS, "split", state.split)] if state.split else []
        chosen += [(ROWS, "part", state.part)] if state.part else []
        for one in state.status:
            family, _, status = one.partition(":")
            chosen.append((family, "status", status))
        for table, name, label in chosen:
            if (table, name) not in self.addresses:
                why = self.held.lacking.get(table, "no such family")
                raise ValueError(f"status of {table!r}: {why}. There are {', '.join(self.held.cards) or 'none'}")
            labels = self.bins[self.addresses[table, name]].labels
            if label not in (*labels, *STATUSES, *NAMES):
                raise ValueError(f"{table}.{name} = {label!r}: there is none. There are {', '.join(labels) or 'none'}")
        return [(self.addresses[table, name], label) for table, name, label in chosen]

    @cached_property
    def bins(self) -> dict[str, Bins]:
        """Of every column that has some, by address."""
        found = {
            address: bins_of(column, self.held.tables[column.table][column.name])
            for address, column in self.columns.items()
        }
        return {address: bins for address, bins in found.items() if bins is not None}

    def _selected(self, asked: Asked) -> Selection:
        return self._selections.get(asked, lambda: self._select(asked))

    def _asked(self, state: State) -> Asked:
        drawable = self.held.drawable
        if state.condition and state.condition not in drawable:
            why = self.held.lacking.get(state.condition, "there is none of which a hint is drawn")
            raise ValueError(f"condition {state.condition!r}: {why}. There are {', '.join(drawable) or 'none'}")
        if state.drawn and not state.condition:
            raise ValueError("only rows that a manifest draws: of which condition? Choose one")
        if state.order not in ("", DRAW, *self.columns):
            raise ValueError(f"order {state.order!r}: no such column. There are {', '.join(self.columns)}")
        seed = state.seed if state.drawn or state.order == DRAW else None
        where, chosen = state.where.strip(), tuple(self.facets(state))
        return Asked(where, state.condition, chosen, state.drawn, seed, state.order, state.down)

    def _select(self, asked: Asked) -> Selection:
        mask = self._faceted(asked, asked.chosen)
        if asked.drawn:
            draw = replace(asked, order="", down=False)
            taken = self._orders.get(draw, lambda: self._draw(draw))
            mask &= np.isin(np.arange(len(mask)), taken, assume_unique=True)
        if not asked.order:
            return Selection(np.flatnonzero(mask).astype(np.int32), mask)
        by = (asked.order, asked.down, asked.seed if asked.order == DRAW else None)
        places = self._orders.get(by, lambda: self._sort(*by))
        return Selection(places[mask[places]], mask)

    def _count(self, asked: Asked) -> dict[str, NDArray[np.int64]]:
        mask = self._selected(asked).mask
        whole = bool(mask.all())
        return {address: bins.whole if whole else bins.within(mask) for address, bins in self.bins.items()}

    def _faceted(self, asked: Asked, chosen: tuple[tuple[str, str], ...]) -> Mask:
        """Rows that fulfil `where` and are of these values: [N] bool, a new one each time."""
        by = (asked.where, asked.condition)
        mask = self._filters.get(by, lambda: self._filter(*by)).copy()
        for address, label in chosen:
            bins = self.bins[address]
            mask &= bins.codes == bins.labels.index(label) if label in bins.labels else False
        return mask

    def _filter(self, where: str, condition: str) -> Mask:
        if not where:
            return np.ones(len(self.held), bool)
        columns = check(where)
        tables = self._joined(columns, condition)
        named = {name.lower() for names in columns for name in names}
        try:
            return select(where, {name: _narrowed(table, named) for name, table in tables.items()})
        except ValueError:
            select(where, {name: table.schema.empty_table() for name, table in tables.items()})  # names all columns
            raise

    def _joined(self, columns: Sequence[tuple[str, ...]], condition: str) -> dict[str, pa.Table]:
        """Tables that `where` means: a bare column is the rows' or the condition's if they have it, as in manifests."""
        tables = self.held.tables
        if not condition:
            return tables
        near = {name.lower() for table in (ROWS, condition) for name in tables[table].column_names}
        named = {names[0].lower() for names in columns if len(names) > 1 or names[0].lower() not in near}
        wanted = {name for name in tables if named & {name, *(of.lower() for of in tables[name].column_names)}}
        return {name: table for name, table in tables.items() if name in {ROWS, condition, *wanted}}

    def _sort(self, column: str, down: bool, seed: int | None) -> Order:
        """All places in an order; rows without a value come last."""
        if column == DRAW:
            order = salted_order(self.held.tables[ROWS]["key"], str(seed))
            return (order[::-1] if down else order).astype(np.int32)
        found = self.columns[column]
        values = self.held.tables[found.table][found.name].combine_chunks()
        values = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
        keys = [("value", "descending" if down else "ascending")]
        return np.asarray(pc.sort_indices(pa.table({"value": values}), keys)).astype(np.int32)

    def _eligible(self, asked: Asked) -> Mask:
        """Rows that a manifest may draw: of the train split, whatever split is looked at, and with an ok condition."""
        split, status = self.addresses[ROWS, "split"], self.addresses[asked.condition, "status"]
        others = tuple(facet for facet in asked.chosen if facet[0] != split)
        return self._faceted(asked, ((split, "train"), (status, "ok"), *others))

    def _draw(self, asked: Asked) -> Order:
        """Places of the rows that manifests/subset.py draws: [n], one of each cluster."""
        eligible = self._eligible(asked)
        assert asked.seed is not None
        drawn = draw_order(self.held.tables[ROWS].filter(pa.array(eligible)), asked.seed)
        return np.flatnonzero(eligible)[drawn].astype(np.int32)


def _weight(found: Mask | Order | Selection) -> int:
    return int(found.nbytes) + QUESTION


def _narrowed(table: pa.Table, named: set[str]) -> pa.Table:
    """The columns that an expression names, and one, for a table has rows by its columns."""
    first = table.column_names[0]
    return table.select([name for name in table.column_names if name == first or name.lower() in named])
