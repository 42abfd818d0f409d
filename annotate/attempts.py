"""A worker's attempts at shards: trouble reported instead of raised, deaths counted, a note kept of each."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import ray
from upath import UPath

from manifests.dataset import Dataset
from manifests.storage import PARTIAL, replace_text

DEADLY = 3  # deaths of workers over one shard, after which it is gone through with care
STALE = 86_400  # seconds, after which nobody is still writing a file: its writer was killed
Make = Callable[[str], None]


@dataclass(frozen=True)
class Attempts:
    """Those of one job; what happened in others does not count against a shard.

    Attributes:
        stage: "ingest" or "annotate".
        families: that the job makes, as the note calls them.
    """

    stage: str
    families: tuple[str, ...] = ()
    job: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def make(self, dataset: Dataset, name: str, usually: Make, carefully: Make) -> str:
        """Make a shard and say what went wrong.

        Args:
            carefully: makes one that has killed its worker three times, in processes whose death does no harm.

        Returns:
            "" when all went well.
        """
        began, deaths, trouble = time.time(), 0, ""
        try:
            deaths = len(list(self.folder(dataset).glob(f"{name}.*")))
            with self._marked(dataset, f"{name}.{deaths}"):
                (usually if deaths < DEADLY else carefully)(name)
        except Exception as error:  # whatever it is, one shard must not end the job: Ray would throw the rest away
            trouble = f"{type(error).__name__}: {error}"
        with suppress(Exception):  # where a shard has found room, or none, its note need not
            self._note(dataset, name, began, deaths, trouble)
        return trouble

    @contextmanager
    def _marked(self, dataset: Dataset, name: str) -> Iterator[None]:
        """Leave a marker, which stays if this process dies."""
        marker = self.folder(dataset) / name
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        try:
            yield
        finally:
            marker.unlink(missing_ok=True)

    def folder(self, dataset: Dataset) -> UPath:
        """Where a marker lies while a shard is being made."""
        return dataset.root / "logs" / "attempts" / self.job

    def _note(self, dataset: Dataset, name: str, began: float, deaths: int, trouble: str) -> None:
        """Who made the shard, when, in how long, after how many deaths: logs/STAGE/NAME.json, the last attempt's."""
        said = {
            "job": self.job,
            "families": self.families,
            "host": os.uname().nodename,
            "node": ray.get_runtime_context().get_node_id() if ray.is_initialized() else "",
            "process": os.getpid(),
            "began": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - began, 1),
            "deaths": deaths,
            "trouble": trouble,
        }
        replace_text(json.dumps(said) + "\n", dataset.root / "logs" / self.stage / f"{name}.json")


def sweep(dataset: Dataset) -> None:
    """Remove what killed writers left a day ago or earlier; an object store has nothing of the kind."""
    if isinstance(dataset.root, Path):
        for pattern in (f"*/{PARTIAL}/*", f".*{PARTIAL}", f"*/.*{PARTIAL}", f"logs/*/.*{PARTIAL}", "logs/attempts/*/*"):
            for path in dataset.root.glob(pattern):
                with suppress(FileNotFoundError):  # its writer is alive, and through
                    if path.is_file() and time.time() - path.stat().st_mtime > STALE:
                        path.unlink()
