"""What checks look at: the index, the sampled rows as they are stored, and their conditions made again."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from annotate.stored import Stored
from evaluate.audit.again import Again, fitted
from evaluate.audit.finding import Finding
from evaluate.audit.looks import Look
from evaluate.audit.sample import Record, Sample, draw, read
from manifests.condition import CELLS, Condition, decode
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import index_path, read_index
from manifests.layout import IMAGES

PICTURE = ("key", "sha256", "stored_sha256", "captions", "image", "width", "height")
EACH, EACH_OF_MANY = 4, 20  # rows of a row group: of the sample, and where pictures and words alone are looked at
MANY = 5  # times the sample: pictures are looked at whose conditions are not


@dataclass(frozen=True)
class Pair:
    """One sampled row of a family.

    Attributes:
        place: in the index.
        cluster: equal in rows of one picture.
        row: of the family's shard; None where its shard is missing.
        stored: decoded; None of a failed row, or where it does not decode.
        again: made again, at the size of the stored one; None where that was not possible.
        picture: height and width of the picture as images/ says.
    """

    place: int
    cluster: str
    row: Record | None
    stored: Condition | None
    again: Condition | None
    picture: tuple[int, int]

    @property
    def status(self) -> str:
        """ok, empty or failed; "" without a row."""
        return self.row["status"] if self.row else ""


@dataclass(frozen=True)
class Family:
    """A family's sampled rows.

    Attributes:
        again: what made them again, or why nothing did.
        index: its table; None while shards are missing.
    """

    card: FamilyCard
    pairs: tuple[Pair, ...]
    again: Again | str
    index: pa.Table | None


@dataclass(frozen=True)
class Evidence:
    """All that checks look at.

    Attributes:
        index: a row for each row of images/.
        pictures: rows of images/ by their place in the index: the sample, and some more.
        looks: of the same rows, what is kept of their pictures; None where one does not decode.
        findings: of each family's pairs, in their order; families that were compared with nothing have them too.
    """

    dataset: Dataset
    index: pa.Table
    sample: Sample
    pictures: Mapping[int, Record]
    looks: Mapping[int, Look | None]
    families: Mapping[str, Family]
    findings: Mapping[str, tuple[Finding, ...]]
    seed: int

    def alive(self) -> NDArray[np.bool_]:
        """Which rows were not taken down: [N] bool."""
        return ~np.asarray(self.index["removed"].to_numpy(zero_copy_only=False), bool)


def read_pictures(dataset: Dataset, index: pa.Table, sample: Sample, *, rows: int, seed: int) -> dict[int, Record]:
    """Rows of images/ by place: those of the sample, and more of the same row groups."""
    many = draw(index, rows=MANY * rows, seed=seed, each=EACH_OF_MANY)
    found: dict[int, Record] = {}
    for drawn in (sample, many):
        rows_read = read(dataset, IMAGES, drawn, PICTURE)
        found |= {int(place): row for place, row in zip(drawn.places, rows_read, strict=True) if row}
    return dict(sorted(found.items()))


def read_family(
    dataset: Dataset, card: FamilyCard, sample: Sample, pictures: Mapping[int, Record], again: Again | str
) -> Family:
    """The sampled rows of a family, stored and made again."""
    columns = ["key", "status", "code", "width", "height"]
    columns += [name for name, there in (("parameters", card.parameters), ("stats", card.stats)) if there]
    columns += ["condition"] if card.kind in CELLS else []
    rows = read(dataset, card.family, sample, columns)
    pairs = [
        _pair(card, (int(place), cluster), row, pictures[int(place)], again)
        for place, cluster, row in zip(sample.places, sample.clusters, rows, strict=True)
        if int(place) in pictures
    ]
    table = read_index(dataset, card.family) if index_path(dataset, card.family).exists() else None
    return Family(card, tuple(pairs), again, table)


def _pair(card: FamilyCard, of: tuple[int, str], row: Record | None, picture: Record, again: Again | str) -> Pair:
    size = (picture["height"], picture["width"])
    if row is None or row["status"] == "failed":
        return Pair(*of, row, None, None, size)
    stored: Condition | None = None
    if card.kind in CELLS:
        try:
            stored = decode(card.kind, row["condition"])
        except (ValueError, TypeError):  # damaged, or of another form: `values` says so
            return Pair(*of, row, None, None, size)
    made = _made(card, again, row, picture, stored)
    return Pair(*of, row, stored, made, size)


def _made(
    card: FamilyCard, again: Again | str, row: Record, picture: Record, stored: Condition | None
) -> Condition | None:
    if isinstance(again, str):
        return None
    try:
        made = again(Stored.of(picture), picture["key"], row.get("parameters"))
    except ValueError:  # the picture does not decode, which `bookkeeping` finds
        return None
    return made if stored is None else fitted(card, made, stored)
