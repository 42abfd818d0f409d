"""One planned shard of a corpus: each record read, checked and stored, or dropped with a reason."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from annotate.ahead import helpers
from annotate.care import CAREFREE, Care
from annotate.corpora.columns import facts
from annotate.corpora.format import Corpus, Lost, Raw, Reference
from annotate.corpora.text import visible
from annotate.corpus import FORMATS
from annotate.hashing import STATS, hash_row
from annotate.image import Picture, normalise
from annotate.opening import Unusable
from annotate.plan import cards_at_ingest, planned
from annotate.provided.row import Row, make_row, schema
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.footer import write_pictures, write_shard
from manifests.layout import DROPPED, IMAGES, SOURCE
from manifests.parallel import ahead
from manifests.provenance import versions
from manifests.record import DROPPED as DROPPED_SCHEMA
from manifests.record import IMAGES as IMAGES_SCHEMA
from manifests.record import SOURCE as SOURCE_SCHEMA
from manifests.record import family_schema, row_key
from manifests.splits.hashes import HASHES
from manifests.storage import publish, read_columns, replace

LONGEST_CAPTION = 1 << 16  # bytes
AHEAD = 32  # records checked before they are asked for


@dataclass(frozen=True)
class Kept:
    """A record that enters the dataset: its rows of images/, source/ and each family made at ingest."""

    image: Row
    source: Row
    families: Mapping[str, Row] = field(default_factory=dict)


def ingest_shard(
    dataset: Dataset, name: str, *, threads: int, done: Callable[[int], None], care: Care = CAREFREE
) -> None:
    """Read, check and store one planned shard.

    Args:
        threads: that check pictures beside the one that reads; 0: it does so itself.
        done: told how many more records are through.
        care: for a shard that has killed its worker; needs 0 threads.
    """
    corpus = Corpus.from_text(dataset.corpora()[int(name[:2])])
    references, cards = planned(dataset.root, name), _cards(dataset)
    kept: list[Kept] = []
    dropped: list[Row] = []
    with helpers(threads) as pool:
        records = _read(corpus, references, care)
        for result in ahead(pool, partial(examine, corpus=corpus, cards=cards), records, AHEAD):
            done(1)
            if isinstance(result, Kept):
                kept.append(result)
            else:
                dropped.append(result)
    assert len(kept) + len(dropped) == len(references), "every record is kept or dropped"
    care.note([])
    _publish(dataset, name, cards, kept, dropped)


def _read(corpus: Corpus, references: Sequence[Reference], care: Care) -> Iterator[Raw | Lost]:
    """Records in the order of their references."""
    sound = [reference for row, reference in enumerate(references) if row not in care.crashed]
    records = iter(FORMATS[corpus.format].read(corpus, sound))
    for row, reference in enumerate(references):
        if row in care.crashed:
            yield Lost(reference, "crashed", "reading it ends the process")
        else:
            care.note([row])
            yield next(records)


def count_dropped(dataset: Dataset, names: Sequence[str] | None = None) -> Counter[str]:
    """Dropped records by stage and reason, of all shards or of these."""
    names = dataset.shards(DROPPED) if names is None else names
    tables = (dataset.read(DROPPED, name, ["stage", "reason"]).to_pylist() for name in names)
    return Counter(f"{row['stage']}: {row['reason']}" for rows in tables for row in rows)


def count_provided(dataset: Dataset, names: Sequence[str]) -> dict[str, Counter[str]]:
    """Of each family made at ingest, rows by status: ok, empty, or why they failed (`code: error`)."""
    said = ["status", "code", "error"]
    counts: dict[str, Counter[str]] = {}
    for card in _cards(dataset):
        counts[card.family] = Counter()
        for path in (dataset.path(card.family, name) for name in names):
            groups = read_columns(path, said).group_by(said, use_threads=False).aggregate([([], "count_all")])
            for row in groups.to_pylist():
                why = ": ".join(filter(None, (row["code"], row["error"])))
                counts[card.family][why or row["status"]] += row["count_all"]
    return counts


def _cards(dataset: Dataset) -> list[FamilyCard]:
    """Cards of the families made here: those that come with the corpus, and hashes where near-duplicates are told."""
    hashes = [dataset.card(HASHES)] if dataset.settings.duplicates == "near" else []
    return [*cards_at_ingest(dataset), *hashes]


def _publish(
    dataset: Dataset, name: str, cards: Sequence[FamilyCard], kept: Sequence[Kept], dropped: Sequence[Row]
) -> None:
    """Put the shard's files into place; images/ comes last, and so vouches for the others.

    Those of an attempt that ended before it came to images/ are replaced: it may have kept other rows.
    """
    if dataset.path(IMAGES, name).exists():  # another attempt, given up too early, has made the shard meanwhile
        return
    table = pa.Table.from_pylist(list(dropped), schema=DROPPED_SCHEMA)
    replace(partial(pq.write_table, table, compression="zstd"), dataset.path(DROPPED, name))
    for card in cards:
        table = pa.Table.from_pylist([record.families[card.family] for record in kept], schema=_schema(card))
        replace(partial(write_shard, table, card=card), dataset.path(card.family, name))
    table = pa.Table.from_pylist([record.source for record in kept], schema=SOURCE_SCHEMA)
    replace(partial(write_shard, table, packages=versions()), dataset.path(SOURCE, name))
    pictures = [record.image for record in kept]
    publish(partial(write_pictures, pictures, schema=IMAGES_SCHEMA, packages=versions()), dataset.path(IMAGES, name))


def examine(record: Raw | Lost, *, corpus: Corpus, cards: Sequence[FamilyCard]) -> Kept | Row:
    """A record as it is stored, or why it is dropped."""
    if isinstance(record, Lost):
        return _drop(record.reference, "read", record.reason, record.detail)
    stage = "caption"
    try:
        captions = _captions(record.captions, needed=corpus.needs_captions)
        stage = "decode"
        picture = normalise(record.image, max_side=corpus.max_side)
        stage = "read"
        return _keep(record, captions, picture, cards)
    except Unusable as fault:
        return _drop(record.reference, stage, fault.reason, fault.detail)


def _drop(reference: Reference, stage: str, reason: str, detail: str) -> Row:
    said = visible(detail).encode("utf-8", "replace").decode()[:500]
    return {"source": reference.source, "member": reference.member, "stage": stage, "reason": reason, "detail": said}


def _captions(given: Sequence[str | bytes], *, needed: bool) -> list[str]:
    """Captions as clean text, each on one line: `visible` characters, any white space a single space.

    Raises:
        Unusable: missing (or nothing to be seen) where one is `needed`, not_utf8, too_long.
    """
    captions = []
    for caption in given:
        if len(caption) > LONGEST_CAPTION:
            raise Unusable("too_long", f"{len(caption)} bytes; the most is {LONGEST_CAPTION}")
        try:
            text = caption.decode("utf-8-sig") if isinstance(caption, bytes) else caption
            text.encode()  # a lone surrogate in JSON is text that no file can hold
        except UnicodeError as error:
            raise Unusable("not_utf8", str(error)) from error
        captions.append(" ".join(visible(text).split()))
    captions = [caption for caption in captions if caption]
    if needed and not captions:
        raise Unusable("missing", "no caption, or nothing to be seen in it")
    return captions


def _keep(record: Raw, captions: list[str], picture: Picture, cards: Sequence[FamilyCard]) -> Kept:
    digest = hashlib.sha256(record.image).hexdigest()
    key = row_key(digest, "\n".join(captions))
    image: Row = {
        "key": key,
        "sha256": digest,
        "stored_sha256": hashlib.sha256(picture.data).hexdigest(),
        "captions": captions,
        "image": {"bytes": picture.data, "path": None},
        "width": picture.width,
        "height": picture.height,
        "conversion": picture.conversion,
    }
    source: Row = {"key": key} | facts(record.about, record.captions)
    families = {card.family: _make(card, key, record, picture) for card in cards}
    return Kept(image, source, families)


def _make(card: FamilyCard, key: str, record: Raw, picture: Picture) -> Row:
    if card.family == HASHES:
        return hash_row(key, picture.data)
    return make_row(card, key, record.provided.get(card.family), picture)


def _schema(card: FamilyCard) -> pa.Schema:
    return family_schema("scores", {}, STATS) if card.family == HASHES else schema(card)
