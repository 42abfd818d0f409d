"""Pictures and copies of them, ingested and annotated in this process."""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from annotate.corpus import find_corpus
from annotate.hashes_at_ingest import begin_hashes
from annotate.ingest import ingest_shard
from annotate.plan import append_plan, make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES


def scenes(count: int) -> list[NDArray[np.uint8]]:
    """Pictures with large forms, no two alike: [192, 256, 3] uint8."""
    rng = np.random.default_rng(0)
    coarse = [rng.integers(0, 256, (7, 9, 3), dtype=np.uint8) for _ in range(count)]
    return [cv2.resize(picture, (256, 192), interpolation=cv2.INTER_CUBIC) for picture in coarse]


def write(folder: Path, pictures: dict[str, NDArray[np.uint8]], quality: int = 95) -> Path:
    folder.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        (folder / f"{name}.txt").write_text(f"picture {name}")
    return folder


def ingest(root: Path, corpus: Path | str, *, append: bool = False, alike: str = "near") -> Dataset:
    asked = find_corpus(str(corpus))
    dataset = append_plan(root, asked) if append else make_plan(root, asked, duplicates=alike)
    begin_hashes(dataset)
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    build_index(dataset)
    return dataset


def annotate(dataset: Dataset, family: str) -> None:
    tasks = make_tasks(dataset, [family], resolution=64)
    create_card(dataset.root, tasks[0].card)
    for name in dataset.missing(family):
        annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=4, threads=0, done=lambda _: None)
    build_index(dataset)


def rows_of(dataset: Dataset) -> dict[str, dict]:
    """Rows of the index by their picture's name."""
    captions = [
        row["captions"][0].split()[-1] for name in dataset.shards() for row in dataset.read(IMAGES, name).to_pylist()
    ]
    return dict(zip(captions, read_index(dataset, ROWS).to_pylist(), strict=True))


def copies(picture: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return {"half": half, "grey": grey, "cut": picture[3:, :-3]}
