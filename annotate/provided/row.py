"""One row of a family that comes with the corpus, as it goes into the shard beside its picture's."""

from typing import Any

import pyarrow as pa

from annotate.image import Picture
from annotate.opening import Unusable
from annotate.provided.forms import FORMS
from annotate.provided.measures import STATS, measure, shows_nothing
from annotate.provided.reading import Cell, Reading
from manifests.condition import encode
from manifests.family import FamilyCard
from manifests.record import family_schema

Row = dict[str, Any]
SPOILT = (ValueError, TypeError, LookupError, ArithmeticError)  # what odd values make a library stumble over
MISSING, UNFIT = "missing", "provided"  # codes of failed rows: the corpus has none, or one that can't be used


def make_row(card: FamilyCard, key: str, cell: Cell | Reading | Unusable | None, picture: Picture) -> Row:
    """A condition read, checked and encoded; what is wrong with it is the row's, and leaves the picture as it is.

    Args:
        cell: as the corpus has it; a `Reading` of a generated picture, whose truth needs no reading; why it could not
            be read; None if the corpus has none for this record.
    """
    if cell is None:
        return _failed(key, MISSING, "")
    try:
        if isinstance(cell, Unusable):
            raise cell
        reading = cell if isinstance(cell, Reading) else FORMS[card.settings["form"]].read(cell, picture)
        height, width = reading.condition.shape[:2]
        row: Row = {
            "key": key,
            "status": "empty" if shows_nothing(card.kind, reading.condition) else "ok",
            "code": "",
            "error": "",
            "condition": encode(card.kind, reading.condition),
            "width": width,
            "height": height,
        }
    except Unusable as fault:
        return _failed(key, UNFIT, f"{type(fault).__name__}: {fault.reason}")
    except SPOILT as error:
        return _failed(key, UNFIT, type(error).__name__)
    return row | ({"stats": measure(card.kind, reading, card.stats)} if card.stats else {})


def schema(card: FamilyCard) -> pa.Schema:
    """Columns of the family's shards: the stats that its card names, of a dataset begun long ago perhaps fewer."""
    return family_schema(card.kind, {}, {name: STATS[card.kind][name] for name in card.stats})


def _failed(key: str, code: str, error: str) -> Row:
    row: Row = {"key": key, "status": "failed", "code": code, "error": error}
    return row | {"condition": None, "width": None, "height": None}
