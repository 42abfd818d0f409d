"""A Stable Diffusion pipeline of toy size, never trained, and pictures with edges."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState

from manifests.condition import encode
from manifests.control import ControlSettings
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.footer import write_shard
from manifests.index import build_index
from manifests.layout import shard_name, shard_path
from manifests.record import IMAGES, family_schema, plan_schema
from tests.toy_base import write_toy_base
from tests.toy_sdxl import write_toy_sdxl
from train.base import Base, load_base
from train.control.control import Control
from train.control.registry import build_control


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # networks of toy size only wait for each other's threads


@pytest.fixture(autouse=True)
def _fresh_accelerator() -> Iterator[None]:
    yield
    AcceleratorState._reset_state(reset_partial_state=True)  # accelerate remembers the precision of a process


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_toy_base(folder)
    return folder


@pytest.fixture
def base(base_folder: Path) -> Base:
    return load_base(str(base_folder))


@pytest.fixture(scope="session")
def xl_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion XL pipeline of toy size."""
    folder = tmp_path_factory.mktemp("xl")
    write_toy_sdxl(folder)
    return folder


@pytest.fixture
def xl_base(xl_folder: Path) -> Base:
    return load_base(str(xl_folder))


@pytest.fixture
def control(base: Base) -> Control:
    return build_control(base.unet, ControlSettings(), seed=0)


@pytest.fixture(scope="session")
def table() -> datasets.Dataset:
    """A training set of 12 pictures in memory, each with its edges and two captions."""
    rows = [_row(number) for number in range(12)]
    return datasets.Dataset.from_list(rows)


@pytest.fixture(scope="session")
def dataset_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 48 pictures in two shards, with their edges, indexed."""
    root = tmp_path_factory.mktemp("data") / "circles"
    dataset = Dataset.create(root, splits={"train": 0.6, "validation": 0.2, "test": 0.2}, shard_rows=24)
    card = create_card(root, FamilyCard(family="canny", annotator="canny", version=1, kind="binary"))
    plan = pa.table(
        {"shard": [0] * 24 + [1] * 24, "source": ["circles"] * 48, "member": ["-"] * 48}, schema=plan_schema("circles")
    )
    _publish(plan, root / "plan" / "00.parquet")
    for shard in range(2):
        rows = [_row(number) for number in range(24 * shard, 24 * shard + 24)]
        name = shard_name(0, shard)
        _publish(pa.Table.from_pylist([_image_row(row) for row in rows], IMAGES), shard_path(root, "images", name))
        schema = family_schema("binary", {}, {})
        conditions = pa.Table.from_pylist([_condition_row(row) for row in rows], schema)
        write_shard(conditions, shard_path(root, "canny", name), card=card)
    build_index(dataset)
    return root


@pytest.fixture
def manifest_path(tmp_path: Path, dataset_root: Path, base_folder: Path) -> Path:
    """A manifest for 16 rows of it and six steps on the base of toy size."""
    train = {"steps": 6, "batch_size": 4, "learning_rate": 1e-3, "precision": "no"}
    watch = {"checkpoint_every": 2, "probe_every": 3, "probe_rows": 2, "monitor_every": 0}
    manifest = {
        "dataset": str(dataset_root),
        "condition": "canny",
        "rows": 16,
        "base": str(base_folder),
        "resolution": 32,
        "train": train,
        "engine": {"workers": 0},
        "watch": watch,
        "evaluate": {"steps": 2},
    }
    path = tmp_path / "circles.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


def _publish(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)


def _image_row(row: dict[str, Any]) -> dict[str, object]:
    digest = sha256(row["image"]["bytes"]).hexdigest()
    kept = {name: row[name] for name in ("key", "captions", "image", "width", "height")}
    return {**kept, "sha256": digest, "stored_sha256": digest, "conversion": ""}


def _condition_row(row: dict[str, Any]) -> dict[str, object]:
    kept = {name: row[name] for name in ("key", "condition", "width", "height")}
    return {**kept, "status": "ok", "code": "", "error": ""}


def _row(number: int) -> dict[str, Any]:
    rng = np.random.default_rng(number)
    image = np.full((40, 48, 3), rng.integers(0, 255, 3), np.uint8)
    colour = tuple(int(value) for value in rng.integers(0, 255, 3))
    cv2.circle(image, (24, 20), int(rng.integers(6, 16)), colour, -1)
    edges = (cv2.Canny(image, 20, 60) > 0).astype(np.uint8)
    return {
        "key": f"{number:016x}",
        "captions": [f"circle {number}", f"a circle of number {number}"],
        "image": {"bytes": cv2.imencode(".png", image)[1].tobytes(), "path": None},
        "condition": encode("binary", edges),
        "width": 48,
        "height": 40,
    }
