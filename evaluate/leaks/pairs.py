"""The pairs that an audit found, as a page shows them: pictures small, texts as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate.leaks.audit import Audit
from evaluate.leaks.copies import Copy
from evaluate.leaks.leaked import EQUAL
from evaluate.leaks.trained import Trained
from evaluate.page.thumbnail import thumbnail
from evaluate.pictures import PICTURES_FOLDER, Found, find
from manifests.layout import IMAGES
from manifests.row_groups import read_rows

SHOWN = 12  # pairs of each kind


@dataclass(frozen=True)
class Shown:
    """A picture and what is said under it."""

    picture: str  # data URI
    what: str
    caption: str = ""  # from the corpus: untrusted text, escaped by the template
    key: str = ""


@dataclass(frozen=True)
class Group:
    """Pairs of one kind, the nearest first."""

    title: str
    rule: str
    pairs: tuple[tuple[Shown, ...], ...]
    found: int


def groups_of(found: Audit, trained: Trained) -> list[Group]:
    """Leaks, copies and look-alikes; kinds of which there are none are left out."""
    leaks, copies = found.leaked.leaks, found.copies.copies
    alike = found.likeness.alike if found.likeness else ()
    beside = _Beside(found.folder / PICTURES_FOLDER, trained)
    groups = [
        Group(
            "Leaks",
            "test samples, each beside the row trained on that is nearest to it; the nearest first",
            beside.test([(leak.key, leak.row, how(leak.bits)) for leak in leaks[:SHOWN]]),
            len(leaks),
        ),
        Group(
            "Copies",
            "what was drawn, beside the picture trained on that it copies, the picture drawn without control, and the "
            "real one that the condition is of; the nearest first",
            beside.drawn(copies[:SHOWN]),
            len(copies),
        ),
        Group(
            "Alike to CLIP",
            "test samples, each beside the row trained on that looks most like it; the most alike first",
            beside.test([(each.key, each.row, f"cosine {each.cosine:.3f}") for each in alike[:SHOWN]]),
            len(alike),
        ),
    ]
    return [group for group in groups if group.pairs]


def how(bits: int) -> str:
    """What ties a leak to its row."""
    return "the same file" if bits == EQUAL else f"{bits} bits apart"


@dataclass(frozen=True)
class _Beside:
    """Where the pictures are."""

    pictures: Path
    trained: Trained

    def test(self, wanted: Sequence[tuple[str, int, str]]) -> tuple[tuple[Shown, ...], ...]:
        """Real pictures of samples beside rows: key, place in the index, what ties them."""
        samples = find(self.pictures, [key for key, _, _ in wanted]) if wanted else {}
        return tuple(
            (
                Shown(thumbnail(samples[key].panels["real"]), "tested on", samples[key].caption, key),
                self._row(row, f"trained on, {what}"),
            )
            for key, row, what in wanted
            if key in samples
        )

    def drawn(self, copies: Sequence[Copy]) -> tuple[tuple[Shown, ...], ...]:
        """Drawn pictures beside rows, the floor and the real ones."""
        by_draw = {copy.draw: [other.key for other in copies if other.draw == copy.draw] for copy in copies}
        samples = {draw: find(self.pictures, keys, draw=draw) for draw, keys in by_draw.items()}
        return tuple(self._drawn(copy, samples[copy.draw][copy.key]) for copy in copies)

    def _drawn(self, copy: Copy, sample: Found) -> tuple[Shown, ...]:
        return (
            Shown(thumbnail(sample.panels["drawn"]), f"drawn, draw {copy.draw}", sample.caption, copy.key),
            self._row(copy.row, f"trained on, {copy.bits} bits from it"),
            Shown(thumbnail(sample.panels["floor"]), "drawn without control"),
            Shown(thumbnail(sample.panels["real"]), f"real, {copy.real} bits from the one trained on"),
        )

    def _row(self, place: int, what: str) -> Shown:
        row = self.trained.index.slice(place, 1).to_pylist()[0]
        path, number = self.trained.dataset.path(IMAGES, row["shard"]), np.array([row["row"]], np.int32)
        stored = read_rows(path, ["captions", "image"], number).to_pylist()[0]
        return Shown(thumbnail(stored["image"]["bytes"]), what, next(iter(stored["captions"]), ""), row["key"])
