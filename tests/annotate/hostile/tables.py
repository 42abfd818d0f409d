"""Parquet files, and datasets of `save_to_disk`, that hold something else than they should."""

import json
import os
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from tests.annotate.hostile.case import (
    CAPTION,
    NEIGHBOURS,
    PNG,
    SOUND,
    Case,
    dropped,
    folder,
    kept,
    parquet,
    refused,
)

TEXTS = [SOUND, CAPTION, SOUND]
CELLS = [PNG[0], PNG[1], PNG[0]]
AGAIN = "CORPUS/hostile.parquet … Take it out, or fetch it again"
BOTH = 2 * NEIGHBOURS  # of the hostile file and of the one beside it
NAME = "CORPUS/hostile.parquet … Say --image-column NAME"


def columns(image: object = CELLS, caption: object = TEXTS, **more: object) -> pa.Table:
    """A table of three records, of which the one in the middle is hostile."""
    return pa.table({"image": image, "caption": caption, **more})


def of_type(kind: pa.DataType, cell: object) -> pa.Table:
    """A table whose pictures are of another type."""
    return columns(pa.array([cell] * 3, kind))


def mixed_text() -> pa.Array:
    """Strings, of which the second is not UTF-8."""
    texts = pa.array([SOUND.encode(), b"\xff\xfe", SOUND.encode()])
    return pa.Array.from_buffers(pa.string(), 3, texts.buffers())


def written(table: pa.Table) -> bytes:
    """A Parquet file, one row to a row group, nothing compressed."""
    target = pa.BufferOutputStream()
    pq.write_table(table, target, row_group_size=1, compression="none", use_dictionary=False, write_statistics=False)
    return target.getvalue().to_pybytes()


def spoilt() -> bytes:
    """A Parquet file whose second row's page header is damaged."""
    data = written(columns())
    place = data.index(PNG[1])
    return data[: place - 24] + b"\xff" * 20 + data[place - 4 :]


def twins() -> pa.Table:
    """Two columns of one name."""
    return pa.Table.from_arrays([pa.array(CELLS), pa.array(CELLS), pa.array(TEXTS)], ["image", "image", "caption"])


def saved(corpus: Path, cells: list[dict[str, object]]) -> None:
    """A folder of `save_to_disk`, with pictures as `datasets.Image` stores them, but not read when it is written."""
    picture = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    features = datasets.Features({"image": picture, "caption": datasets.Value("string")})
    datasets.Dataset.from_dict({"image": cells, "caption": TEXTS}, features=features).save_to_disk(corpus)


def led_out(corpus: Path) -> None:
    """A cell with no picture but the path of a file that is none."""
    sound = {"bytes": PNG[0], "path": None}
    saved(corpus, [sound, {"bytes": None, "path": str(corpus.parent / "secret.txt")}, sound])


def led_to_pipe(corpus: Path) -> None:
    """A cell with no picture but the path of a pipe that nobody writes to."""
    os.mkfifo(corpus / "pipe")
    sound = {"bytes": PNG[0], "path": None}
    saved(corpus, [sound, {"bytes": None, "path": str(corpus / "pipe")}, sound])


def mistaken(corpus: Path) -> None:
    """A folder of pictures in which a state.json lies."""
    folder({"state.json": json.dumps({"volume": 11}).encode()})(corpus)


def wrapped(corpus: Path) -> None:
    """Parquet in a folder that is named as a file, as Spark writes it, and a link that leads round."""
    parquet(columns())(corpus)
    (corpus / "spark.parquet").mkdir()
    (corpus / "hostile.parquet").rename(corpus / "spark.parquet" / "part-0.parquet")
    (corpus / "round").symlink_to(".")


def pipe(corpus: Path) -> None:
    """A pipe named as a table."""
    parquet(columns())(corpus)
    (corpus / "hostile.parquet").unlink()
    os.mkfifo(corpus / "hostile.parquet")


HALF = [{"bytes": PNG[0], "path": ""}, {"bytes": None, "path": "../secret.png"}, {"bytes": PNG[0], "path": ""}]
WHOLE = written(columns())
EMPTY = columns().slice(0, 0)
TYPED = pa.array([1, 2, 3])
FAR = pa.array([0, 2**62, 0]).cast(pa.timestamp("us"))
LISTED = pa.array([[PNG[1]]] * 3)
FILES = {
    "a cell without a picture": (columns([PNG[0], None, PNG[0]]), dropped("read: no_picture")),
    "a cell with a path instead of bytes": (columns(pa.array(HALF)), dropped("read: no_picture")),
    "pictures that are paths alone": (of_type(pa.struct([("path", pa.string())]), {"path": "a"}), refused(NAME)),
    "pictures that are strings": (of_type(pa.string(), "iVBORw0KGgo="), refused(NAME)),
    "pictures that are numbers of bytes": (
        of_type(pa.struct([("bytes", pa.int64())]), {"bytes": 2**40}),
        refused(NAME),
    ),
    "pictures in lists": (columns(LISTED), refused(NAME)),
    "pictures in a dictionary": (columns(pa.array(CELLS).dictionary_encode()), kept()),
    "pictures of type large_binary": (columns(pa.array(CELLS, pa.large_binary())), kept()),
    "a caption that is not UTF-8": (columns(caption=mixed_text()), dropped("read: unreadable")),
    "a date beyond all calendars": (columns(date=FAR), dropped("read: unreadable")),
    "a column name of controls and HTML": (columns(**{"\x1b[2J<script>": TYPED}), kept()),
    "two columns of one name": (twins(), refused("CORPUS/hostile.parquet … Give each a name of its own")),
    "no rows": (EMPTY, ("no record", "")),
    "a file that is no Parquet": (b"PAR1 no table PAR1", refused(AGAIN)),
    "a file of no bytes": (b"", refused(AGAIN)),
    "a file cut in half": (WHOLE[: len(WHOLE) // 2], refused(AGAIN)),
    "a damaged page": (spoilt(), dropped("read: unreadable")),
}
CASES = [
    *(
        Case(named, "Parquet", parquet(file), becomes, NEIGHBOURS if file is EMPTY else BOTH)
        for named, (file, becomes) in FILES.items()
    ),
    Case("captions that are numbers", "Parquet", parquet(columns(caption=TYPED)), ("dropped 3", "caption: missing")),
    Case("a folder named as a file, and a link round in circles", "Parquet", wrapped, kept(), BOTH),
    Case("a pipe named as a file", "Parquet", pipe, refused("CORPUS/hostile.parquet … Take it out of the corpus")),
    Case("a cell with the path of another file", "save_to_disk", led_out, dropped("decode: not_an_image")),
    Case("a cell with the path of a pipe", "save_to_disk", led_to_pipe, dropped("read: not_a_file")),
    Case(
        "a state.json among pictures",
        "save_to_disk",
        mistaken,
        refused("CORPUS … Write it again; if its state.json is another program's, take that file out"),
    ),
]
