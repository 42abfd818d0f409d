"""A small real dataset, written shard by shard: playroom pictures with their exact edges as the family `canny`."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.corpora import playroom
from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.footer import write_shard
from manifests.index import build_index
from manifests.layout import IMAGES, PLAN, SOURCE, shard_name, shard_path
from manifests.record import IMAGES as IMAGES_SCHEMA
from manifests.record import SOURCE as SOURCE_SCHEMA
from manifests.record import family_schema, plan_schema, row_key
from manifests.storage import publish

CARD = FamilyCard(family="canny", annotator="canny", version=1, kind="binary", stats={"edge_density": "float"})
SHARD = 25
PICTURES = [playroom.record(0, row) for row in range(12)]  # drawn once, used again with other captions


def image_row(number: int) -> dict:
    """Row `number`; rows 10 and 11 are the same picture under two captions: one duplicate cluster."""
    picture = PICTURES[number % 12]
    source = cv2.imencode(".png", picture.image[..., ::-1])[1].tobytes()
    digest = hashlib.sha256(source + bytes([0 if number == 11 else number % 251, number // 251])).hexdigest()
    if number == 11:
        digest = image_row(10)["sha256"]
    caption = f"{picture.caption} {number}"
    return {
        "key": row_key(digest, caption),
        "sha256": digest,
        "stored_sha256": digest,
        "captions": [caption],
        "image": {"bytes": source, "path": None},
        "width": 128,
        "height": 128,
        "conversion": "",
    }


def family_row(image: dict, number: int) -> dict:
    edges = PICTURES[number % 12].truth["truth_edges"].condition
    status = "empty" if number % 10 == 9 else "ok"
    row = {"key": image["key"], "status": status, "code": "", "error": "", "width": 128, "height": 128}
    return {**row, "condition": encode("binary", edges), "stats": {"edge_density": float(edges.mean())}}


def put(table: pa.Table, path: Path, card: FamilyCard | None = None) -> None:
    write = partial(write_shard, table, card=card) if card else partial(pq.write_table, table)
    publish(write, path)


@pytest.fixture(scope="session")
def made() -> Callable[..., Dataset]:
    def make(root: Path, rows: Iterable[int] = range(200), shards_of_canny: int | None = None) -> Dataset:
        numbers = list(rows)
        dataset = Dataset.create(root, corpus="test", splits={"train": 0.8, "validation": 0.1, "test": 0.1})
        plan = {"shard": [place // SHARD for place in range(len(numbers))], "source": "test", "member": "0"}
        plan = {**plan, "source": ["test"] * len(numbers), "member": list(map(str, numbers))}
        put(pa.table(plan, schema=plan_schema("test")), root / PLAN / "00.parquet")
        create_card(root, CARD)
        schema = family_schema("binary", {}, {"edge_density": pa.float32()})
        for start in range(0, len(numbers), SHARD):
            name, chunk = shard_name(0, start // SHARD), numbers[start : start + SHARD]
            images = [image_row(number) for number in chunk]
            put(pa.Table.from_pylist(images, schema=IMAGES_SCHEMA), shard_path(root, IMAGES, name))
            sources = [{"key": image["key"]} for image in images]
            put(pa.Table.from_pylist(sources, schema=SOURCE_SCHEMA), shard_path(root, SOURCE, name))
            if shards_of_canny is None or start // SHARD < shards_of_canny:
                rows_made = [family_row(image, number) for image, number in zip(images, chunk, strict=True)]
                put(pa.Table.from_pylist(rows_made, schema=schema), shard_path(root, "canny", name), CARD)
        build_index(dataset)
        return dataset

    return make


@pytest.fixture(scope="session")
def dataset(made: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return made(tmp_path_factory.mktemp("dataset") / "rooms")
