"""A dataset of any number of rows in its real layout, whose pictures and edge maps are a few bytes each."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from annotate.canny import Canny
from annotate.corpus import find_corpus
from annotate.plan import make_plan
from annotate.task import make_tasks
from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.footer import write_shard
from manifests.layout import IMAGES, SOURCE
from manifests.provenance import versions
from manifests.record import IMAGES as IMAGES_SCHEMA
from manifests.record import SOURCE as SOURCE_SCHEMA
from manifests.record import family_schema, row_key
from manifests.storage import publish

CORPUS_FILE = 100_000  # rows of one Parquet file of the corpus
COPIES = 50  # every so many rows a picture comes again under another caption
FAMILY = "canny"
FAILED, EMPTY = 997, 101  # one row in so many
PROSE = """a the photo of red wooden chair two people walking along beach at sunset with dogs old stone bridge over
river mountain lake morning fog city street night rain neon signs woman in blue dress holding umbrella plate fresh pasta
tomato vintage car parked under tree close up flower garden bee modern kitchen interior white cabinets black cat"""
WORDS = PROSE.split()


def make_corpus(folder: Path, rows: int) -> str:
    """Parquet files of `rows` rows that can be listed; how a user names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, rows, CORPUS_FILE):
        count = min(CORPUS_FILE, rows - start)
        table = pa.table({"image": pa.repeat(pa.scalar(b"", pa.binary()), count), "caption": pa.repeat("", count)})
        pq.write_table(table, folder / f"{start // CORPUS_FILE:05d}.parquet")
    return str(folder)


@dataclass(frozen=True)
class Payload:
    """What every row holds: as bytes of a picture and as a stored condition; by default a few that do not open."""

    picture: bytes = b""
    condition: bytes = b""


def small_pictures() -> Payload:
    """A picture of 16 pixels with its edges, which open."""
    image = np.full((16, 16, 3), 255, np.uint8)
    image[4:12, 4:12] = 0
    edges = (cv2.Canny(image, 100, 200) > 0).astype(np.uint8)
    return Payload(cv2.imencode(".png", image)[1].tobytes(), encode("binary", edges)["bytes"])


def make_dataset(root: Path, corpus: str, processes: int, payload: Payload = Payload()) -> Dataset:
    """Plan the corpus, then write all shards of images/, source/ and canny/, as ingest and annotate would."""
    dataset = make_plan(root, find_corpus(corpus))
    (task,) = make_tasks(dataset, [FAMILY])
    create_card(root, task.card)
    rows = pq.read_metadata(root / "plan/00.parquet").num_rows
    work = partial(_make_shard, root=root, rows=rows, card=task.card, payload=payload)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(work, dataset.missing(IMAGES), chunksize=8))
    return dataset


def _make_shard(name: str, *, root: Path, rows: int, card: FamilyCard, payload: Payload) -> None:
    dataset = Dataset.open(root)
    size = dataset.settings.shard_rows
    start = int(name[3:]) * size
    images = pa.Table.from_pylist(
        list(_pictures(range(start, min(start + size, rows)), payload.picture)),
        schema=IMAGES_SCHEMA,
    )
    family = _conditions(images, start, payload.condition)
    source = pa.table({"key": images["key"]}).cast(pa.schema([SOURCE_SCHEMA.field("key")]))
    for field in list(SOURCE_SCHEMA)[1:]:
        source = source.append_column(field, pa.nulls(len(source), field.type))
    packages = versions()
    publish(partial(write_shard, family, card=card), dataset.path(FAMILY, name))
    publish(partial(write_shard, source, packages=packages), dataset.path(SOURCE, name))
    publish(partial(write_shard, images, packages=packages), dataset.path(IMAGES, name))


def _pictures(numbers: range, data: bytes) -> Iterator[dict[str, object]]:
    """Rows of images/; one picture in fifty is that of a much earlier row."""
    for number in numbers:
        picture = number // 2 if number % COPIES == COPIES - 1 else number
        digest = sha256(b"%d" % picture)
        caption = " ".join(WORDS[byte % len(WORDS)] for byte in sha256(b"%d caption" % number).digest()[:11])
        yield {
            "key": row_key(digest.hexdigest(), caption),
            "sha256": digest.hexdigest(),
            "stored_sha256": digest.hexdigest(),
            "captions": [caption],
            "image": {"bytes": data or digest.digest()[:8], "path": None},
            "width": 512 + 8 * (picture % 97),
            "height": 512 + 8 * (picture % 61),
            "conversion": "",
        }


def _conditions(images: pa.Table, start: int, data: bytes) -> pa.Table:
    """Rows of canny/ for those of images/; one in 997 has failed, one in 101 is empty."""
    count = len(images)
    numbers = np.arange(start, start + count)
    failed = numbers % FAILED == 0
    status = np.where(failed, "failed", np.where(numbers % EMPTY == 0, "empty", "ok"))
    drawn = np.random.default_rng(start).beta(2, 14, count).astype(np.float32)
    rows = {
        "key": images["key"],
        "status": status,
        "code": np.where(failed, "decode", ""),
        "error": np.where(failed, "Unusable", ""),
        "condition": [
            None if bad else {"bytes": data or b"%d" % number, "path": None}
            for bad, number in zip(failed, numbers, strict=True)
        ],
        "width": images["width"],
        "height": images["height"],
        "parameters": [{"low": 100, "high": 200}] * count,
        "stats": [{name: float(value) for name in Canny.stats} for value in drawn],
    }
    return pa.table(rows, schema=family_schema("binary", Canny.parameters, Canny.stats))
