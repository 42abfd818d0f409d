"""Manifest → training set: draw the subset, and gather its rows where training can map them into memory."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import pyarrow as pa
import ray
from typer import Argument, Option

from annotate.job import check_path, connect
from manifests.dataset import Dataset
from manifests.gather import Families, gather_in_turn, gather_shard
from manifests.manifest import load_manifest
from manifests.subset import resolve
from manifests.training_set import ensure_training_set
from pipelines.entry import run as run_command


def main(
    manifest: Annotated[Path, Argument(help="YAML, as manifests/canny_10k.yaml")],
    set_: Annotated[list[str] | None, Option("--set", help="field=value, as rows=500 or section.field=value")] = None,
    workers: Annotated[int, Option(help="processes; more than one read shards on Ray", min=1)] = 1,
) -> None:
    """Build a training set: python pipelines/subset.py manifests/canny_10k.yaml --set dataset=/data/photos_pairs

    Training does it when it is not there yet. A subset with fewer rows of the same draw is a prefix, and built already.
    """
    asked = load_manifest(check_path(manifest, "manifest"), set_ or [])
    subset = resolve(asked)
    print(f"{asked.rows} of {subset.found} rows of the train split that have {asked.condition} and fulfil `where`")
    print(f"fingerprint {subset.fingerprint}")
    gather = partial(gather_on_ray, workers=workers) if workers > 1 else gather_in_turn
    print(f"made {ensure_training_set(subset, asked, gather, print)}")


def gather_on_ray(
    dataset: Dataset, families: Families, by_shard: dict[str, pa.Table], *, workers: int
) -> Iterator[pa.Table]:
    """Read the wanted rows of several shards at a time."""
    connect(workers)
    read = ray.remote(gather_shard)
    running: list[Any] = []
    for name, wanted in by_shard.items():
        running.append(read.remote(dataset, families, name, wanted))
        if len(running) == workers:
            yield ray.get(running.pop(0))
    yield from map(ray.get, running)


if __name__ == "__main__":
    run_command(main)
