"""Size: a condition has the height and width that its family's resolution gives its picture."""

from collections.abc import Iterator
from typing import Any

from annotate.corpus import AT_INGEST
from annotate.image import fitted_size, rounded_size
from annotate.provided.placing import UNLIKE
from evaluate.audit.evidence import Evidence, Pair
from evaluate.audit.of_rows import verdicts
from evaluate.audit.verdict import Verdict, share_verdict
from manifests.family import FamilyCard

Size = tuple[int, int]  # height and width, pixels


def find_size(card: FamilyCard, pair: Pair) -> str:
    """What is wrong with the size of a stored condition; "" if nothing."""
    if pair.stored is None or pair.row is None:
        return ""
    there = _size(pair.stored)
    said = (pair.row["height"], pair.row["width"])
    if there != said:
        return f"{_words(there)} pixels where its row says {_words(said)}"
    if card.annotator in AT_INGEST:
        return "" if _fits(there, pair.picture) else "not of its picture's aspect, or far from its size"
    wanted = implied(card, pair.picture)
    if there == wanted:
        return ""
    turned = "turned by a quarter: " if there == wanted[::-1] else ""
    return f"{turned}{_words(there)} pixels where resolution {card.resolution} gives {_words(wanted)}"


def implied(card: FamilyCard, picture: Size) -> Size:
    """Size at which a picture of this size is annotated."""
    size = (fitted_size if card.profile == "exact" else rounded_size)(picture[1], picture[0], card.resolution)
    return size[1], size[0]


def check_size(evidence: Evidence) -> Iterator[Verdict]:
    """Sizes of pictures, then of every family's conditions."""
    said = {place: (row["height"], row["width"]) for place, row in evidence.pictures.items()}
    bad = [place for place, seen in evidence.looks.items() if seen and seen.size != said[place]]
    yield share_verdict(
        "size",
        "",
        bad=len(bad),
        of=len(evidence.pictures),
        found=f"{len(bad)} of {len(evidence.pictures)} pictures are not as wide and high as their rows say",
        remedy="ingest the corpus again; images/ was changed by hand",
        places=tuple(bad),
    )
    yield from verdicts(
        evidence,
        "size",
        "are of another size than their picture gives",
        lambda card: f"make it again: {card.command(evidence.dataset.root, refresh=True)}, or ingest it anew",
    )


def _fits(size: Size, picture: Size) -> bool:
    """Whether a provided raster has its picture's aspect within a pixel, and is at most `UNLIKE` times its size."""
    scale = size[1] / picture[1]
    return abs(size[0] - scale * picture[0]) <= max(1.0, scale) and 1 / UNLIKE <= max(size) / max(picture) <= UNLIKE


def _size(condition: Any) -> Size:
    return int(condition.shape[0]), int(condition.shape[1])


def _words(size: Size) -> str:
    return f"{size[1]} x {size[0]}"
