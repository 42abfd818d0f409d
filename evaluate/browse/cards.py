"""One row as a page shows it: where it is, what was said of it, a panel for each family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.corpora.text import visible
from evaluate.browse.held import Held
from evaluate.browse.pictures import Pictures
from evaluate.browse.shards import Shards
from manifests.family import FamilyCard
from manifests.index import ROWS
from manifests.layout import IMAGES, SOURCE

SHORT = 280  # characters of a caption in a list
LONG = 20_000  # and on the page of its row
MEASURES = ("width", "height", "caption_length")  # of the picture itself, that a card says


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
    """Makes cards of what is held."""

    def __init__(self, held: Held, shards: Shards, pictures: Pictures) -> None:
        self._held = held
        self._shards = shards
        self._pictures = pictures

    def of(self, places: Sequence[int], families: Sequence[str], *, length: int = SHORT) -> list[Card]:
        """Cards of some rows, with panels of these families; captions of at most `length` characters."""
        known = self._held.known(places)
        captions = self._shards.captions(places)
        worded = [family for family in families if self._held.cards[family].kind == "text"]
        words = {family: self._shards.words(family, places) for family in worded}
        cards = []
        for number, (place, of) in enumerate(zip(places, known, strict=True)):
            rows = of[ROWS]
            panels = [
                self._panel(place, rows, of[family], self._held.cards[family], words.get(family, [""] * len(places))[number])
                for family in families
            ]
            cards.append(
                Card(
                    place=place,
                    known=rows,
                    captions=tuple(_cut(visible(caption), length) for caption in captions[number]),
                    picture=self._address(IMAGES, place, rows, "small"),
                    full=self._address(IMAGES, place, rows, "full"),
                    panels=tuple(panels),
                )
            )
        return cards

    def source(self, place: int) -> list[tuple[str, str]]:
        """What the corpus said of a row beside its captions: columns of source/ that are not empty."""
        try:
            said = self._shards.read(SOURCE, place, ["id", "url", "licence", "status", "similarity", "aesthetic",
                                                     "watermark", "nsfw", "optout", "extra"])
        except ValueError as error:
            return [("source", str(error))]
        return [(name, _cut(visible(_shown(value)), LONG)) for name, value in said.items() if value not in (None, "")]

    def _panel(self, place: int, rows: Mapping[str, Any], said: Mapping[str, Any], card: FamilyCard, words: str) -> Panel:
        drawn = card.family in self._held.drawable and said["status"] != "failed"
        values = [(name, said.get(name)) for name in (*card.parameters, *card.stats)]
        return Panel(
            family=card.family,
            kind=card.kind,
            status=said["status"],
            code=said["code"] or "",
            picture=self._address(card.family, place, rows, "small") if drawn else "",
            full=self._address(card.family, place, rows, "full") if drawn else "",
            words=_cut(visible(words), LONG),
            stats=tuple((name, _shown(value)) for name, value in values if value is not None),
        )

    def _address(self, family: str, place: int, rows: Mapping[str, Any], size: Any) -> str:
        tag = self._pictures.tag(family, place, size)
        return f"/picture/{size}/{family}/{rows['shard']}/{rows['row']}?v={tag}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length].rstrip()} … ({len(text):,} characters)"
