"""The actor of an annotate job: detectors loaded once, then shard after shard."""

import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import torch

from annotate.annotated import OUT_OF_MEMORY
from annotate.attempts import Attempts
from annotate.care import go_through, read_care
from annotate.shard import annotate_shard, bind
from annotate.task import Task
from annotate.worker import Meter, keep_memory, open_same


@dataclass(frozen=True)
class AnnotateOrder:
    """What an annotate job asks of its workers.

    Attributes:
        dataset_id: of the dataset that every node must find at `root`.
        batch_size: pictures in one forward pass.
        threads: that decode and encode beside each worker's model, so that a GPU need not wait; on a CPU, which other
            workers keep busy, they only get into each other's way.
    """

    root: str
    dataset_id: str
    tasks: tuple[Task, ...]
    attempts: Attempts
    device: str = "cpu"
    batch_size: int = 8
    threads: int = 0


class AnnotateWorker:
    """One actor with its annotators loaded."""

    def __init__(self, order: AnnotateOrder, tally: Any) -> None:
        pin_threads()
        keep_memory()
        self.dataset = open_same(order.root, order.dataset_id)
        self.bound = bind(order.tasks, torch.device(order.device))
        self.order = order
        self.meter = Meter(tally)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Make the shard that `batch` names."""
        name = str(batch["shard"][0])
        trouble = self.order.attempts.make(self.dataset, name, self._make, self._make_carefully)
        self.meter.flush()
        return {"shard": [name], "trouble": [trouble]}

    def _make(self, name: str) -> None:
        try:
            halving(self.order.batch_size, lambda size: self._annotate(name, size))
        except torch.AcceleratorError as error:  # what this process does on the GPU from now on fails too
            sys.stderr.write(f"{name}: {error}\n")
            os._exit(1)  # another one takes its place, and counts a death

    def _annotate(self, name: str, size: int) -> dict[str, Counter[str]]:
        return annotate_shard(
            self.dataset,
            name,
            self.bound,
            batch_size=size,
            threads=self.order.threads,
            done=self.meter,
        )

    def _make_carefully(self, name: str) -> None:
        with TemporaryDirectory() as folder:
            order = Path(folder) / "order"
            order.write_bytes(pickle.dumps(self.order))
            go_through("annotate.annotate_worker", [str(order), name], Path(folder) / "journal")


def halving(size: int, make: Callable[[int], object]) -> None:
    """Make a shard in batches of that size, or of the next smaller one that fits into memory.

    Args:
        make: the whole shard, so that its batches are of one size.
    """
    while True:
        try:
            make(size)
            return
        except OUT_OF_MEMORY:
            if size == 1:
                raise
            size //= 2
            torch.cuda.empty_cache()


def pin_threads() -> None:
    """One thread for each library, so that no sum depends on how many cores a node has; no TF32 either."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


def main(order: AnnotateOrder, name: str, *care: str) -> None:
    """Make one shard as `go_through` wants it."""
    pin_threads()
    dataset, bound = open_same(order.root, order.dataset_id), bind(order.tasks, torch.device(order.device))
    known = read_care(*care)

    def make(size: int) -> None:
        annotate_shard(dataset, name, bound, batch_size=size, threads=0, done=lambda rows: None, care=known)

    halving(order.batch_size, make)


if __name__ == "__main__":
    main(pickle.loads(Path(sys.argv[1]).read_bytes()), *sys.argv[2:])
