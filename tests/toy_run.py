"""A dataset of playroom pictures with their canny edges, and a training on it of two steps on the toy base."""

from collections.abc import Sequence
from pathlib import Path

import torch
import yaml
from typer.testing import CliRunner

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index
from manifests.layout import IMAGES
from train.run import app


def write_dataset(root: Path, *, settings: Sequence[str] = ()) -> Dataset:
    """Ingest and annotate 60 pictures of 128 pixels in this process, 24 or so of them for the test split.

    Args:
        settings: of canny, as "canny.low=50".
    """
    dataset = make_plan(root, find_corpus("playroom:60"), splits={"train": 0.5, "validation": 0.1, "test": 0.4})
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    annotate_edges(dataset, settings=settings)
    build_index(dataset)
    return dataset


def annotate_edges(dataset: Dataset, *, resolution: int = 128, settings: Sequence[str] = ()) -> None:
    """Make the family `canny` in this process; not its index."""
    annotate(dataset, "canny", resolution=resolution, settings=settings)


def annotate(dataset: Dataset, word: str, *, resolution: int = 128, settings: Sequence[str] = ()) -> None:
    """Make a family in this process; not its index.

    Args:
        word: `ANNOTATOR`, or `FAMILY=ANNOTATOR`.
    """
    tasks = make_tasks(dataset, [word], settings=settings, resolution=resolution)
    for task in tasks:
        create_card(dataset.root, task.card)
    for name in dataset.missing(tasks[0].family):
        annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=8, threads=1, done=lambda _: None)


def write_manifest(path: Path, dataset: Path, base: Path) -> Path:
    """Write a manifest: two steps on 16 rows, judged by eight pictures of two steps each."""
    train = {"steps": 2, "batch_size": 2, "learning_rate": 1e-2, "precision": "no"}
    beside = {"engine": {"workers": 0}, "watch": {"probe_every": 0, "monitor_every": 0}}
    evaluate = {"samples": 8, "steps": 2, "batch_size": 3}
    data = {"dataset": str(dataset), "condition": "canny", "rows": 16, "base": str(base), "resolution": 128}
    path.write_text(yaml.safe_dump({**data, "train": train, "evaluate": evaluate, **beside}))
    return path


def train(manifest: Path, run: Path, *options: str) -> None:
    """Train in this process."""
    result = CliRunner().invoke(app, ["--manifest", str(manifest), "--run", str(run), *options])
    assert result.exit_code == 0, result.output
