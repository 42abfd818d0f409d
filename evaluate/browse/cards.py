"""One row as a page shows it: where it is, what was said of it, a panel for each family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.corpora.text import visible
from evaluate.browse.held import Held
from evaluate.browse.pictures import Size
from evaluate.browse.shards import Shards
from evaluate.page.render import short
from manifests.index import ROWS
from manifests.layout import IMAGES, SOURCE
from manifests.record import SOURCE as SOURCE_SCHEMA
from manifests.splits.hashes import is_hash

SHORT = 280  # characters of a caption in a list
LONG = 20_000  # and on the page of its row
SAID = [name for name in SOURCE_SCHEMA.names if name != "key"]


@dataclass(frozen=True)
class Panel:
    """One family of a row.

    Attributes:
        picture: address of its small picture; "" where it has none.
        full: address of the picture at full size.
        words: of a caption: untrusted, escaped by the template.
        stats: parameters and stats that are there, as a reader wants them.
    """

    family: str
    kind: str
    status: str
    code: str
    picture: str
    full: str
    words: str
    stats: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One row. Texts are from a corpus: untrusted, escaped by the template."""

    place: int
    known: Mapping[str, Any]
    captions: tuple[str, ...]
    picture: str
    full: str
    panels: tuple[Panel, ...]

    @property
    def address(self) -> str:
        """Path of the row's page."""
        return f"/row/{self.known['shard']}/{self.known['row']}"


class Cards:
    """Makes cards of what is held.

    Args:
        constant: family and column of stats and parameters that are the same in all rows, which a list does not repeat.
    """

    def __init__(self, held: Held, shards: Shards, constant: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._held = held
        self._shards = shards
        self._constant = constant

    def of(self, places: Sequence[int], families: Sequence[str]) -> list[Card]:
        """Cards of some rows as a list has them, with panels of these families."""
        return self._cards(places, families, SHORT, self._constant)

    def whole(self, place: int) -> Card:
        """All that is known of one row."""
        return self._cards([place], list(self._held.cards), LONG, frozenset())[0]

    def source(self, place: int) -> list[tuple[str, str]]:
        """What the corpus said of a row beside its captions: columns of source/ that are not empty."""
        try:
            said = self._shards.read(SOURCE, place, SAID)
        except ValueError as error:
            return [("source", str(error))]
        shown = {name: value for name, value in said.items() if name != "key" and value not in (None, "")}
        return [(name, _cut(visible(_shown(value)), LONG)) for name, value in shown.items()]

    def _cards(
        self, places: Sequence[int], families: Sequence[str], length: int, left_out: frozenset[tuple[str, str]]
    ) -> list[Card]:
        known = self._held.known(places)
        captions = self._shards.captions(places)
        worded = [family for family in families if self._held.cards[family].kind == "text"]
        words = {family: self._shards.words(family, places) for family in worded}
        cards = []
        for number, (place, of) in enumerate(zip(places, known, strict=True)):
            said = {family: _cut(visible(texts[number]), length) for family, texts in words.items()}
            panels = [self._panel(of, family, said.get(family, ""), left_out) for family in families]
            cards.append(
                Card(
                    place=place,
                    known={
                        name: _shown(value) if isinstance(value, bool) else value for name, value in of[ROWS].items()
                    },
                    captions=tuple(_cut(visible(caption), length) for caption in captions[number]),
                    picture=_address(IMAGES, of[ROWS], "small"),
                    full=_address(IMAGES, of[ROWS], "full"),
                    panels=tuple(panels),
                )
            )
        return cards

    def _panel(self, known: Mapping[str, Any], family: str, words: str, left_out: frozenset[tuple[str, str]]) -> Panel:
        card, said = self._held.cards[family], known[family]
        drawn = family in self._held.drawable and said["status"] != "failed"
        names = [name for name in (*card.parameters, *card.stats) if not is_hash(name)]
        values = [(name, said.get(name)) for name in names if (family, name) not in left_out]
        return Panel(
            family=family,
            kind=card.kind,
            status=said["status"],
            code=said["code"] or "",
            picture=_address(family, known[ROWS], "small") if drawn else "",
            full=_address(family, known[ROWS], "full") if drawn else "",
            words=words,
            stats=tuple((name, _shown(value)) for name, value in values if value is not None),
        )


def _address(family: str, rows: Mapping[str, Any], size: Size) -> str:
    return f"/picture/{size}/{family}/{rows['shard']}/{rows['row']}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return short(value) if isinstance(value, float) else str(value)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length].rstrip()} … ({len(text):,} characters)"
