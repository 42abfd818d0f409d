"""A dataset in which everything a page must show is planted: failures, empties, gaps, duplicates, half a family."""

import hashlib
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, Weights, create_card
from manifests.footer import write_shard
from manifests.index import build_index
from manifests.layout import IMAGES, PLAN, SOURCE, shard_name, shard_path
from manifests.record import IMAGES as IMAGES_SCHEMA
from manifests.record import SOURCE as SOURCE_SCHEMA
from manifests.record import family_schema, plan_schema, row_key
from manifests.storage import publish

SHARD, SIDE = 20, 48
HARM = '<script>alert("caught")</script> & <img src=x onerror=alert(1)>'
TWINS = {10: "a red disc", 11: "a red disc", 12: "a blue disc"}  # rows of one picture
FAILED = {5: "decode", 18: "decode", 7: "annotate"}  # rows of canny, by code
EMPTY = (9, 19)
NO_VALUE = (3, 4)  # rows of quality that have no sharpness
STATS = {"canny": {"edge_density": pa.float32()}, "quality": {"sharpness": pa.float32(), "sides": pa.int32()}}
WEIGHTS = [Weights(file="net.pth", sha256="0" * 64, licence="CC-BY-NC-4.0", source="https://example.org/net.pth")]


def plant(
    root: Path,
    rows: int = 40,
    *,
    failing: Callable[[int], str] = lambda row: FAILED.get(row, ""),
    damaged: Collection[int] = (),
) -> Dataset:
    """Write it.

    Args:
        failing: row → code with which it failed in canny, "" if it did not.
        damaged: rows whose picture does not open.
    """
    dataset = Dataset.create(root, corpus="planted", splits={"train": 0.8, "validation": 0.1, "test": 0.1}, id="1" * 32)
    shards = [range(start, min(start + SHARD, rows)) for start in range(0, rows, SHARD)]
    plan = {
        "shard": [row // SHARD for row in range(rows)],
        "source": ["s"] * rows,
        "member": list(map(str, range(rows))),
    }
    path = root / PLAN / "00.parquet"
    publish(partial(pq.write_table, pa.table(plan, schema=plan_schema("planted"))), path)
    cards = {
        "canny": FamilyCard(family="canny", annotator="canny", version=1, kind="binary", weights=WEIGHTS),
        "quality": FamilyCard(family="quality", annotator="quality", version=1, kind="scores"),
        "depth": FamilyCard(family="depth", annotator="depth", version=1, kind="depth"),
    }
    for number, members in enumerate(shards):
        images = [_image(row, damaged) for row in members]
        name = shard_name(0, number)
        _put(pa.Table.from_pylist(images, schema=IMAGES_SCHEMA), shard_path(root, IMAGES, name))
        _put(
            pa.Table.from_pylist([{"key": of["key"]} for of in images], schema=SOURCE_SCHEMA),
            root / SOURCE / f"{name}.parquet",
        )
        for family, card in cards.items():
            stats = STATS.get(family, {})
            full = card.model_copy(update={"stats": {field: str(kind) for field, kind in stats.items()}})
            create_card(root, full)
            if family == "depth" and number:
                continue
            make = {"canny": partial(_canny, code=failing), "quality": _quality, "depth": _depth}[family]
            cells = [{"key": of["key"], **make(row)} for row, of in zip(members, images, strict=True)]
            table = pa.Table.from_pylist(cells, schema=family_schema(card.kind, {}, stats))
            publish(partial(write_shard, table, card=full), shard_path(root, family, name))
    build_index(dataset)
    return dataset


def density(row: int) -> float:
    """Edge density of a row as planted."""
    return row / 100


def _image(row: int, damaged: Collection[int]) -> dict[str, Any]:
    shown = min(TWINS) if row in TWINS else row
    picture = cv2.circle(
        np.full((SIDE, SIDE, 3), 30, np.uint8), (24, 24), 3 + shown % 20, (200, 5 * shown % 256, 40), -1
    )
    source = cv2.imencode(".png", picture)[1].tobytes()
    digest = hashlib.sha256(source + bytes([shown])).hexdigest()
    caption = TWINS.get(row, f"disc {row} {HARM}")
    return {
        "key": row_key(digest, f"{caption} {row}"),
        "sha256": digest,
        "stored_sha256": digest,
        "captions": [caption],
        "image": {"bytes": source[: 60 if row in damaged else None], "path": None},
        "width": SIDE,
        "height": SIDE,
        "conversion": "",
    }


def _canny(row: int, *, code: Callable[[int], str]) -> dict[str, Any]:
    if code(row):
        return {"status": "failed", "code": code(row), "error": "Unusable"}
    cell = encode("binary", np.eye(SIDE, dtype=np.uint8))
    status = "empty" if row in EMPTY else "ok"
    return _sized({"status": status, "code": "", "condition": cell, "stats": {"edge_density": density(row)}})


def _quality(row: int) -> dict[str, Any]:
    sharpness = None if row in NO_VALUE else float(row)
    return _sized({"status": "ok", "code": "", "stats": {"sharpness": sharpness, "sides": SIDE}})


def _depth(row: int) -> dict[str, Any]:
    return _sized({"status": "ok", "code": "", "condition": encode("depth", np.eye(SIDE, dtype=np.float32))})


def _sized(cell: dict[str, Any]) -> dict[str, Any]:
    return {"error": "", "width": SIDE, "height": SIDE, **cell}


def _put(table: pa.Table, path: Path) -> None:
    publish(partial(write_shard, table), path)
