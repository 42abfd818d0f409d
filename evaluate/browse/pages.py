"""What each page shows of a state."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.datastructures import QueryParams

from evaluate.browse.cards import Cards
from evaluate.browse.clusters import clusters_of, copies
from evaluate.browse.columns import nearest
from evaluate.browse.explorer import Bar, charts
from evaluate.browse.held import Held
from evaluate.browse.pictures import Pictures
from evaluate.browse.proposal import commands, found_rows, propose
from evaluate.browse.search import Search
from evaluate.browse.shards import Shards
from evaluate.browse.state import State, read_state
from manifests.index import ROWS
from manifests.record import STATUSES
from manifests.splits.hashes import HASHES

SHOWN = 3  # families whose panels are shown unless others are chosen
CLUSTERS = 10  # on a page
SIZES = (12, 24, 48, 96)
FILE = "manifest.yaml"
BEST = "best_of_cluster"  # the column that marks one row of each cluster
Context = dict[str, Any]  # of a template


class Pages:
    """Contexts of the templates, by what they are of."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.search = Search(held)
        shards = Shards(held)
        self.pictures = Pictures(held, shards)
        same = {address for address, bins in self.search.bins.items() if len(bins.labels) == 1}
        constant = frozenset(place for place, address in self.search.addresses.items() if address in same)
        self.cards = Cards(held, shards, constant)

    def rows(self, asked: QueryParams) -> Context:
        """A page of rows."""
        context, state = self._frame(asked)
        if not context["error"]:
            places = self.search.select(state).places
            context |= _paged(len(places), state.page, state.size)
            start = (context["page"] - 1) * state.size
            context["cards"] = self.cards.of(places[start : start + state.size].tolist(), context["shown"])
        return context

    def failures(self, asked: QueryParams) -> Context:
        """Rows that failed or are empty, by family and code."""
        context, state = self._frame(asked)
        if not context["error"]:
            context["families"] = {family: self._statuses(family, state) for family in self.held.cards}
        return context

    def clusters(self, asked: QueryParams) -> Context:
        """Clusters of duplicates, the largest first."""
        context, state = self._frame(asked)
        if not context["error"]:
            mask = self.search.select(state).mask
            _, total = clusters_of(self.held, mask, page=1, size=0)
            context |= _paged(total, state.page, CLUSTERS) | {"clusters_found": total}
            found, _ = clusters_of(self.held, mask, page=context["page"], size=CLUSTERS)
            places = [place for cluster in found for place in cluster.places]
            cards = {card.place: card for card in self.cards.of(places, [])}
            context["clusters"] = [(cluster, [cards[place] for place in cluster.places]) for cluster in found]
            context["best"] = BEST
        return context

    def manifest(self, asked: QueryParams) -> Context:
        """The filter as a manifest."""
        context, state = self._frame(asked)
        context |= {"yaml": "", "refusal": context["error"], "commands": commands(FILE), "file": FILE}
        context["rows_asked"] = asked.get("rows", "")
        if not context["error"]:
            try:
                context["yaml"] = self.proposal(asked, state)
            except ValueError as error:
                context["refusal"] = str(error)
        return context

    def proposal(self, asked: QueryParams, state: State | None = None) -> str:
        """The manifest as YAML.

        Raises:
            ValueError: there is none: nothing is chosen, or nothing found.
        """
        rows = asked.get("rows", "").strip()
        if rows and not (rows.isascii() and rows.isdigit() and len(rows) < 18):
            raise ValueError(f"rows: {rows!r} is not a number. Say a whole one")
        return propose(self.search, state or read_state(asked), int(rows) if rows else None)

    def row(self, asked: QueryParams, place: int) -> Context:
        """One row with all its families, and the rows that are copies of it."""
        context, state = self._frame(asked, charted=False)
        card = self.cards.whole(place)
        others = copies(self.held, place)
        context |= {"card": card, "copies": self.cards.of(others[:24], []), "copies_found": len(others)}
        context |= {"source": self.cards.source(place), "best": BEST, "before": None, "after": None}
        context |= {"number": None}
        if not context["error"]:
            places = self.search.select(state).places
            at = np.flatnonzero(places == place)
            if len(at):
                number = int(at[0])
                context["number"] = number + 1
                context["before"] = self.address(int(places[number - 1])) if number else None
                context["after"] = self.address(int(places[number + 1])) if number + 1 < len(places) else None
                context["back"] = state.query(page=number // state.size + 1)
        return context

    def first(self, state: State) -> str | None:
        """Path of the first row of a state; None where it has none; raises as `Search.select`."""
        places = self.search.select(state).places
        return self.address(int(places[0])) if len(places) else None

    def address(self, place: int) -> str:
        """Path of a row's page."""
        rows = self.held.tables[ROWS]
        return f"/row/{rows['shard'][place].as_py()}/{rows['row'][place].as_py()}"

    def _frame(self, asked: QueryParams, *, charted: bool = True) -> tuple[Context, State]:
        """What all pages have: the state, what is wrong with it, how many rows it has, charts and facets."""
        error, meant = "", None
        try:
            state = read_state(asked)
        except ValueError as refused:
            state, error = State(), str(refused)
        context: Context = {"held": self.held, "sizes": SIZES, "columns": self.search.columns, "found": 0, "cards": []}
        context |= {"drawn": None, "charts": {}, "facets": [], "page": 1, "pages": 1}
        if not error:
            try:
                context["found"] = len(self.search.select(state).places)
                context["drawn"] = found_rows(self.search, state) if state.condition else None
            except ValueError as refused:
                error, meant = str(refused), nearest(state.where, self.search.columns)
        if not error and charted:
            context["charts"] = charts(self.search.columns, self.search.bins, self.search.counts(state))
            context["facets"] = self._facets(state)
        mended = mend(state.where, *meant) if meant else ""
        context |= {
            "mended": mended,
            "state": state,
            "error": error,
            "meant": meant,
            "shown": self._shown(state),
            "back": state.query(),
        }
        return context, state

    def _shown(self, state: State) -> list[str]:
        """Families whose panels are shown."""
        if state.show is not None:
            return [family for family in self.held.cards if family in state.show]
        pictured = sorted(self.held.cards, key=lambda family: family not in self.held.drawable)
        first = [state.condition] if state.condition in self.held.drawable else []
        asked = [family for family in pictured if any(stat in state.where for stat in self.held.cards[family].stats)]
        wanted = dict.fromkeys([*first, *asked, *pictured])
        return [family for family in wanted if family != HASHES][:SHOWN]

    def _facets(self, state: State) -> list[tuple[str, str, list[tuple[str, int, str]]]]:
        """Name, chosen value, and of each value its name, rows and the query that chooses it, or no more."""
        found = [("split", state.split, self._choices(state, ROWS, "split"))]
        if len(self.search.bins[self.search.addresses[ROWS, "part"]].labels if len(self.held) else ()) > 1:
            found.append(("part", state.part, self._choices(state, ROWS, "part")))
        chosen = dict(one.partition(":")[::2] for one in state.status)
        for family in self.held.cards:
            found.append((family, chosen.get(family, ""), self._choices(state, family, "status")))
        return found

    def _choices(self, state: State, table: str, name: str) -> list[tuple[str, int, str]]:
        chosen = [
            label for address, label in self.search.facets(state) if address == self.search.addresses[table, name]
        ]
        values = []
        for label, rows in self.search.facet(state, self.search.addresses[table, name]):
            wanted = "" if label in chosen else label
            changed = {name: wanted} if table == ROWS else {"status": state.with_status(table, wanted)}
            values.append((label, rows, state.query(**changed)))
        return values

    def _statuses(self, family: str, state: State) -> Context:
        """Of a family: rows by status, in the selection and in all, and what failed by code."""
        counts, bins = self.search.counts(state), self.search.bins
        status, code = (self.search.addresses[family, name] for name in ("status", "code"))
        places = {label: number for number, label in enumerate(bins[status].labels)}
        rows = {
            name: (int(counts[status][places[name]]), int(bins[status].whole[places[name]]))
            if name in places
            else (0, 0)
            for name in STATUSES
        }
        codes: Sequence[Bar] = ()
        if code in bins:
            chart = charts({code: self.search.columns[code]}, bins, counts)[family][0]
            codes = [bar for bar in chart.bars if bar.rows and bar.label not in ("(none)", "NULL")]
        return {"rows": rows, "codes": codes}


def mend(where: str, written: str, meant: str) -> str:
    """`where` with one name in the place of another."""
    return re.sub(rf'(?<![\w."\']){re.escape(written)}(?![\w"\'])', lambda _: meant, where)


def _paged(found: int, page: int, size: int) -> Context:
    """Which page of how many; the last one where it would be behind it."""
    pages = max(1, -(-found // size))
    return {"page": min(page, pages), "pages": pages}
