"""The rows that ingest keeps of a corpus, in its order, with what decides their splits."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.corpora.format import Corpus, Raw, Reference
from annotate.corpus import FORMATS
from annotate.hashing import PARTS, describe
from annotate.image import RGB, decode, normalise
from annotate.ingest import Kept, examine
from annotate.planted.pictures import DAMAGED, drawn_quality, saved
from manifests.splits.clusters import CLUSTER_DIGITS
from manifests.splits.hashes import NONE

Numbers = NDArray[np.uint64]


@dataclass(frozen=True)
class Clean:
    """A corpus before anything is planted; a row's number is its place among those that ingest keeps.

    Attributes:
        references: where the N rows lie.
        keys, captions: of each row, as ingest stores them.
        pictures: [N], the first 64 bits of the sha256 of each one's source bytes.
        hashes: [N, K] perceptual hashes, `NONE` where a row has none; K is 0 if nobody asks what is near to what.
        damaged: [N, K], those of each picture as the fault `jpeg` would leave it.
        dropped: how many records of the corpus ingest doesn't keep.
    """

    corpus: Corpus
    references: Sequence[Reference]
    keys: Sequence[str]
    captions: Sequence[tuple[str, ...]]
    pictures: Numbers
    hashes: Numbers
    damaged: Numbers
    dropped: int

    def raw(self, rows: Sequence[int]) -> Iterator[Raw]:
        """Read some rows again.

        Raises:
            ValueError: one is not what it was.
        """
        records = FORMATS[self.corpus.format].read(self.corpus, [self.references[row] for row in rows])
        for row, record in zip(rows, records, strict=True):
            if not isinstance(record, Raw) or picture_number(record.image) != self.pictures[row]:
                raise ValueError(f"{self.corpus}: row {row} changed while faults were planted. Start again")
            yield record

    def stored(self, record: Raw) -> RGB:
        """A record's picture as ingest stores it: [H, W, 3] uint8 RGB."""
        return decode(normalise(record.image, max_side=self.corpus.max_side).data)


def read_clean(corpus: Corpus, *, near: bool, seed: int) -> Clean:
    """Read every record once.

    Args:
        near: whether pictures are hashed, as themselves and damaged.
        seed: from which the qualities of damaged pictures are drawn.
    """
    references = sorted(FORMATS[corpus.format].plan(corpus))
    where: list[Reference] = []
    said: list[tuple[str, tuple[str, ...]]] = []
    numbers: list[tuple[int, list[int], list[int]]] = []
    for record in FORMATS[corpus.format].read(corpus, references):
        kept = examine(record, corpus=corpus, cards=())
        if isinstance(kept, Kept):
            assert isinstance(record, Raw), "what is lost is not kept"
            own, harmed = _hashes(kept, drawn_quality(seed, len(where), DAMAGED)) if near else ([], [])
            numbers.append((picture_number(record.image), own, harmed))
            where.append(record.reference)
            said.append((kept.image["key"], tuple(kept.image["captions"])))
    pictures, hashes, damaged = zip(*numbers, strict=True) if numbers else ((), (), ())
    shape = (len(where), len(PARTS) if near else 0)
    return Clean(
        corpus=corpus,
        references=where,
        keys=[key for key, _ in said],
        captions=[captions for _, captions in said],
        pictures=np.array(pictures, np.uint64),
        hashes=np.array(hashes, np.uint64).reshape(shape),
        damaged=np.array(damaged, np.uint64).reshape(shape),
        dropped=len(references) - len(where),
    )


def picture_number(data: bytes) -> int:
    """What tells source bytes apart where clusters are made: the first 64 bits of their sha256."""
    return int(hashlib.sha256(data).hexdigest()[:CLUSTER_DIGITS], 16)


def hashes_of(data: bytes) -> list[int]:
    """Perceptual hashes of a stored picture, as numbers without a sign."""
    said = describe(data, decode(data))
    return [NONE if said[name] is None else said[name] % 2**64 for name in PARTS]


def _hashes(kept: Kept, quality: int) -> tuple[list[int], list[int]]:
    data = kept.image["image"]["bytes"]
    return hashes_of(data), hashes_of(saved(decode(data), quality=quality, comment=""))
