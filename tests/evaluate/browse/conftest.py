"""A dataset with something of everything: failed and empty rows, copies, hostile captions, a family half made."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from starlette.testclient import TestClient

from annotate.corpora import playroom
from annotate.corpus import find_corpus
from annotate.image import encode_generated
from annotate.ingest import ingest_shard
from annotate.plan import append_plan, make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from evaluate.browse.app import make_app
from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.figures import Text
from manifests.footer import write_shard
from manifests.index import ROWS, build_index, read_index
from manifests.record import family_schema
from manifests.removed import remove_pictures
from manifests.storage import replace

PARTS = (range(16), range(16, 32), range(32, 40))
ROOMS = 40
SCRIPT = '<script>alert("caught")</script> & <img src=x onerror=alert(1)>'
QUOTES = '" onmouseover="alert(1)" \' onload=\'alert(2)'
CAPTIONS = {5: SCRIPT, 6: QUOTES, 7: "a long story " * 2_000}
COPY, OF = 9, 8  # the same picture under another caption
GREY, FAILED, REMOVED = 3, 4, 12
WORDS = FamilyCard(family="words", annotator="caption", version=1, kind="text", stats={"length": "int32"})
HALF = FamilyCard(family="hed", annotator="hed", version=1, kind="soft", stats={"edge_density": "float"})


def write_corpus(folder: Path, rows: range) -> Path:
    folder.mkdir(parents=True)
    for row in rows:
        room = playroom.record(0, OF if row == COPY else row)
        picture = np.full((128, 128, 3), 90, np.uint8) if row == GREY else room.image
        (folder / f"{row:03d}.png").write_bytes(encode_generated(picture))
        (folder / f"{row:03d}.txt").write_text(CAPTIONS.get(row, f"{room.caption} {row}"))
    return folder


def annotate(dataset: Dataset) -> None:
    tasks = make_tasks(dataset, ["canny", "phash"], resolution=0)
    for task in tasks:
        create_card(dataset.root, task.card)
    for name in dataset.shards():
        annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=8, threads=1, done=lambda _: None)


def put(dataset: Dataset, card: FamilyCard, name: str, rows: list[dict], schema: pa.Schema) -> None:
    table = pa.Table.from_pylist(rows, schema=schema)
    path = dataset.path(card.family, name)
    replace(partial(write_shard, table, card=card), path)


def fail(dataset: Dataset, row: int) -> None:
    """Let a row of canny's first shard have failed."""
    name, card = dataset.shards()[0], dataset.card("canny")
    table = dataset.read("canny", name)
    rows = table.to_pylist()
    rows[row] |= {"status": "failed", "code": "decode", "error": "Unusable", "condition": None, "stats": None}
    put(dataset, card, name, rows, table.schema)


def write_words(dataset: Dataset) -> None:
    """A family of words, hostile ones in row 5."""
    create_card(dataset.root, WORDS)
    schema = family_schema("text", {}, {"length": pa.int32()})
    for name in dataset.shards():
        rows = []
        for number, key in enumerate(dataset.read("images", name, ["key"])["key"].to_pylist()):
            text = SCRIPT if number == 5 and name == dataset.shards()[0] else f"a room, {number}"
            row = {"key": key, "status": "ok", "code": "", "error": "", "width": 128, "height": 128}
            rows.append(row | {"condition": encode("text", Text((128, 128), text)), "stats": {"length": len(text)}})
        put(dataset, WORDS, name, rows, schema)


def write_half(dataset: Dataset) -> None:
    """The first shard of a family that lacks the others."""
    create_card(dataset.root, HALF)
    keys = dataset.read("images", dataset.shards()[0], ["key"])["key"].to_pylist()
    cell = encode("soft", cv2.circle(np.zeros((128, 128), np.uint8), (40, 30), 20, 255))
    row = {"status": "ok", "code": "", "error": "", "width": 128, "height": 128}
    rows = [row | {"key": key, "condition": cell, "stats": {"edge_density": 0.1}} for key in keys]
    put(dataset, HALF, dataset.shards()[0], rows, family_schema("soft", {}, {"edge_density": pa.float32()}))


def make(folder: Path, parts: Sequence[range] = PARTS) -> Dataset:
    """A dataset of so many ingests, one shard each, with canny and phash; not indexed."""
    root, splits = folder / "rooms", {"train": 0.6, "validation": 0.2, "test": 0.2}
    for number, rows in enumerate(parts):
        corpus = find_corpus(str(write_corpus(folder / f"corpus{number}", rows)))
        dataset = append_plan(root, corpus) if number else make_plan(root, corpus, splits=splits)
        for name in dataset.missing("images"):
            ingest_shard(dataset, name, threads=1, done=lambda _: None)
    annotate(dataset)
    return dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    made = make(tmp_path_factory.mktemp("browse"))
    fail(made, FAILED)
    write_words(made)
    write_half(made)
    build_index(made)
    remove_pictures(made, [read_index(made, ROWS)["picture"][REMOVED].as_py()], "asked to")
    return made  # the index was built before, and does not know


@pytest.fixture(scope="session")
def client(dataset: Dataset) -> TestClient:
    return TestClient(make_app(dataset), base_url="http://127.0.0.1:8266", follow_redirects=True)
