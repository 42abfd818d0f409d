"""A corpus with planted faults as one Parquet file, and beside it what was planted where."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from annotate.corpora.columns import FACTS, facts
from annotate.corpora.format import Raw
from annotate.image import RGB
from annotate.planted.clean import Clean, picture_number
from annotate.planted.faults import Drawn, Harm, Planting
from annotate.planted.harmable import in_train
from annotate.planted.pictures import saved
from manifests.dataset import Settings
from manifests.layout import ROW_GROUP
from manifests.record import SOURCE, row_key
from manifests.storage import publish, replace_text

CORPUS, PLANTING, FAULTS = "rows.parquet", "planting.json", "faults.jsonl"
COLUMNS = pa.schema(
    [("image", pa.binary()), ("captions", pa.list_(pa.string())), *((fact, SOURCE.field(fact).type) for fact in FACTS)]
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Faulty:
    """What a folder with planted faults is made from; `settings` are those by which it will be ingested."""

    clean: Clean
    planting: Planting
    drawn: Drawn
    settings: Settings


def write_planted(faulty: Faulty, out: Path) -> None:
    """Write the corpus; its file comes last, and so vouches for those beside it.

    Unharmed rows have the source's own bytes. Of what the source says besides, the facts that ingest knows by name
    travel along; conditions that it carries don't.
    """
    out.mkdir(parents=True, exist_ok=True)

    def write(path: Path) -> None:
        said: list[Row] = []
        with pq.ParquetWriter(path, COLUMNS, compression="zstd", use_dictionary=False) as file:
            for rows, faults in _groups(faulty):
                file.write_table(pa.Table.from_pylist(rows, schema=COLUMNS))
                said += faults
        replace_text("".join(json.dumps(fault) + "\n" for fault in said), out / FAULTS)
        asked = {"corpus": str(faulty.clean.corpus), "duplicates": faulty.settings.duplicates}
        replace_text(json.dumps(asked | asdict(faulty.planting), indent=1) + "\n", out / PLANTING)

    publish(write, out / CORPUS)


def _groups(faulty: Faulty) -> Iterator[tuple[list[Row], list[Row]]]:
    """Rows of the corpus, a row group at a time, and what is said of those among them that are harmed."""
    clean = faulty.clean
    for start in range(0, len(clean.references), ROW_GROUP):
        numbers = range(start, min(start + ROW_GROUP, len(clean.references)))
        records = dict(zip(numbers, clean.raw(numbers), strict=True))
        harms = {row: faulty.drawn.harms[row] for row in numbers if row in faulty.drawn.harms}
        pictures = _pictures({row: _image(harms[row], records[row], faulty) for row in harms}, faulty)
        rows = []
        for row, record in records.items():
            said = clean.captions[harms[row].says if row in harms else row]
            rows.append(_row(record, pictures.get(row, record.image), said))
        yield rows, [_said(row, harm, rows[row - start], clean) for row, harm in harms.items()]


def _image(harm: Harm, record: Raw, faulty: Faulty) -> RGB | None:
    """The picture that a harmed row is to show: [H, W, 3] uint8 RGB; None if it keeps the bytes of its own."""
    if harm.fault == "greys":
        return faulty.drawn.greys[harm.shows]
    return faulty.clean.stored(record) if harm.quality else None


def _pictures(images: Mapping[int, RGB | None], faulty: Faulty) -> dict[int, bytes]:
    """New bytes for rows, no two alike, each such that its split, drawn by itself, is train."""
    left = {row: image for row, image in images.items() if image is not None}
    made: dict[int, bytes] = {}
    attempt = 0
    while left:
        for row, image in left.items():
            made[row] = saved(image, quality=faulty.drawn.harms[row].quality, comment=f"{row}.{attempt}")
        well = in_train(np.array([picture_number(made[row]) for row in left], np.uint64), faulty.settings)
        left = {row: image for (row, image), fits in zip(left.items(), well, strict=True) if not fits}
        attempt += 1
    return made


def _row(record: Raw, image: bytes, captions: Sequence[str]) -> Row:
    known = facts(record.about, record.captions)
    return {"image": image, "captions": list(captions)} | {fact: known[fact] for fact in FACTS}


def _said(row: int, harm: Harm, made: Row, clean: Clean) -> Row:
    """A line of the list of faults; keys as ingest gives them, of the harmed row and of the clean rows concerned."""
    return {
        "row": row,
        "fault": harm.fault,
        "key": row_key(hashlib.sha256(made["image"]).hexdigest(), "\n".join(made["captions"])),
        "was": clean.keys[row],
        "shows": clean.keys[harm.shows],
        "says": clean.keys[harm.says],
        "quality": harm.quality or None,
    }
