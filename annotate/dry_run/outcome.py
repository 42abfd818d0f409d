"""What a process of a dry run is given, and what it brings back."""

from dataclasses import dataclass, field
from pathlib import Path

from annotate.annotate_worker import AnnotateOrder
from annotate.dry_run.clock import Said, Stretch


@dataclass(frozen=True)
class Share:
    """What one process is to try.

    Attributes:
        order: of the job, its root the excerpt.
        name: of the excerpt's shard.
        runs: rows of each of that shard's runs.
        seconds: passes over the share are repeated until so many are gone.
        folder: where results go.
    """

    order: AnnotateOrder
    name: str
    runs: tuple[int, ...]
    seconds: float
    folder: Path

    @property
    def rows(self) -> int:
        """Rows of all its runs."""
        return sum(self.runs)

    def file(self, what: str) -> Path:
        """Of this process: `share`, `ready`, `rows` (a byte for each that is through), `result`, `journal`."""
        return self.folder / f"{self.name}.{what}"

    @property
    def go(self) -> Path:
        """Is there once all processes are ready: they get in each other's way as workers do."""
        return self.folder / "go"


@dataclass(frozen=True)
class Pass:
    """One pass over a share: its seconds, those of them that it had a processor, and on what they were spent."""

    seconds: float
    processor: float
    spent: dict[Stretch, float]


@dataclass
class Outcome:
    """What came out of a share.

    Attributes:
        passes: over it, all of them with batches of `batch_size`, which fits.
        said: of the faults.
        loading: seconds that it took to load the weights.
        ready: when the process was about to begin, time.time().
        memory: bytes, peak of the process; `gpu_memory` that of torch on its GPU.
    """

    batch_size: int
    passes: list[Pass] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    loading: float = 0.0
    ready: float = 0.0
    memory: int = 0
    gpu_memory: int = 0

    @property
    def timed(self) -> list[Pass]:
        """Passes that count: the first one warms up, where there are others."""
        return self.passes[1:] or self.passes
