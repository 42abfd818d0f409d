"""The actor of an ingest job: it reads and checks the records of shard after shard."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2

from annotate.attempts import Attempts
from annotate.care import go_through, read_care
from annotate.ingest import ingest_shard
from annotate.worker import Meter, keep_memory, open_same


class IngestWorker:
    """One actor that reads and checks records."""

    def __init__(self, root: str, dataset_id: str, attempts: Attempts, threads: int, tally: Any) -> None:
        cv2.setNumThreads(1)
        keep_memory()
        self.dataset = open_same(root, dataset_id)
        self.attempts = attempts
        self.threads = threads
        self.meter = Meter(tally)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Make the shard that `batch` names."""
        name = str(batch["shard"][0])
        trouble = self.attempts.make(self.dataset, name, self._make, self._make_carefully)
        self.meter.flush()
        return {"shard": [name], "trouble": [trouble]}

    def _make(self, name: str) -> None:
        ingest_shard(self.dataset, name, threads=self.threads, done=self.meter)

    def _make_carefully(self, name: str) -> None:
        with TemporaryDirectory() as folder:
            words = [str(self.dataset.root), self.dataset.settings.id, name]
            go_through("annotate.ingest_worker", words, Path(folder) / "journal")


def main(root: str, dataset_id: str, name: str, *care: str) -> None:
    """Make one shard as `go_through` wants it."""
    cv2.setNumThreads(1)
    ingest_shard(open_same(root, dataset_id), name, threads=0, done=lambda rows: None, care=read_care(*care))


if __name__ == "__main__":
    main(*sys.argv[1:])
