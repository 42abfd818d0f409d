"""The best weights of a run so far, in RUN/best: replaced as a whole or not at all."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from manifests.storage import replace_text
from train.whole_folder import recover, save_folder

FILE = "best.json"


@dataclass(frozen=True)
class Best:
    """When a run was at its best, as its observers measure it."""

    step: int
    score: float


def replace_best(write: Callable[[Path], None], run: Path, best: Best) -> None:
    """Put these weights in the place of what was best before; the first process alone calls this.

    Args:
        write: writes the weights as into RUN/controlnet; what takes all processes to gather was gathered before.

    Raises:
        ValueError: They could not be written; what was best before is still there.
    """

    def write_all(folder: Path) -> None:
        write(folder)
        replace_text(json.dumps(asdict(best)) + "\n", folder / FILE)

    save_folder(write_all, run / "best")


def read_best(run: Path) -> Best | None:
    """Say when the run was at its best; None if nothing was measured yet.

    A run that goes on from a checkpoint before that step comes to it again, and to the same score.
    """
    folder = run / "best"
    recover(folder)
    path = folder / FILE
    return Best(**json.loads(path.read_text())) if path.is_file() else None
