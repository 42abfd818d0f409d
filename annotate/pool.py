"""How many workers a job has, and the share of a GPU that each of them takes."""

import sys
from dataclasses import dataclass

import ray

AUTO = "auto"


def parse_workers(words: str | int) -> int | None:
    """A number of workers, or None for "auto": as many as the cluster has room for.

    Raises:
        ValueError: it is neither.
    """
    if words == AUTO:
        return None
    if not str(words).isdecimal() or int(words) == 0:
        raise ValueError(f"--workers {words}: not a number of processes. Write 8, or {AUTO} for as many as fit")
    return int(words)


@dataclass(frozen=True)
class Pool:
    """Workers of one core each.

    Attributes:
        workers: None for as many as the cluster has room for when the job begins.
        gpus: that each takes; a share, as 0.25, is enough for a small detector.
    """

    workers: int | None
    gpus: float = 0.0

    def size(self) -> int:
        """How many there are to be on the cluster that this process has joined.

        Raises:
            ValueError: none fits, and it is not said how many to wait for.
        """
        has = ray.cluster_resources()
        cores, gpus = int(has.get("CPU", 0)), has.get("GPU", 0.0)
        room = self.room(cores, gpus)
        what = f"a worker takes one core and {self.gpus:g} GPUs, and the cluster has {cores} cores and {gpus:g} GPUs"
        if self.workers is None and room == 0:
            raise ValueError(f"{what}. Add nodes, or say --workers N to wait for them")
        if room == 0:
            sys.stderr.write(f"{what}: the job waits for a node that has them\n")  # it may be for hours
        return self.workers or room

    def room(self, cores: int, gpus: float) -> int:
        """How many fit on so many cores and GPUs."""
        return min(cores, self._on(gpus)) if self.gpus else cores

    def _on(self, gpus: float) -> int:
        """Workers that so many GPUs take: a share is never of two GPUs."""
        return int(gpus) * int(1 / self.gpus + 1e-9) if self.gpus <= 1 else int(gpus / self.gpus)
