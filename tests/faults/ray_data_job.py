"""The same edges as a user of plain Ray Data makes them: read_parquet, map_batches by actors, write_parquet."""

import logging
import sys
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext
from ray.data.checkpoint import CheckpointConfig

from annotate.canny import trace_edges
from annotate.image import decode, fit
from annotate.job import connect

BLOCKS = 32  # and so files
WORKERS = 2  # of three cores: with all of them taken, Ray Data never reads


class EdgesWorker:
    """An actor that makes edges of short side 512."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Rows of images/ in, keys and 8-bit edges out."""
        pictures = [fit(decode(image["bytes"]), 512)[None] for image in batch["image"]]
        edges = [trace_edges(picture, [{"low": 100, "high": 200}])[0].tobytes() for picture in pictures]
        return {"key": list(batch["key"]), "edges": edges}


def main(images: str, target: str, checkpoint: str = "") -> None:
    """Make the edges of a folder of images/ shards."""
    connect(3)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    if checkpoint:
        context.checkpoint_config = CheckpointConfig("key", checkpoint)
    rows = ray.data.read_parquet(images).select_columns(["key", "image"]).repartition(BLOCKS)
    rows.map_batches(EdgesWorker, batch_size=32, compute=ActorPoolStrategy(size=WORKERS)).write_parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
