"""An early stop, noted before its checkpoint is written, so that a run that is started again stays where it ended."""

import json
from pathlib import Path

from manifests.storage import replace_text

FILE = "stopped.json"


def note_stop(run: Path, step: int, patience: int | None) -> None:
    """Say after which step a run ends, and by which `watch.patience`; the first process alone calls this."""
    replace_text(json.dumps({"step": step, "patience": patience}) + "\n", run / FILE)


def stopped_after(run: Path, patience: int | None) -> int | None:
    """After which step a run has ended early; None where it has not, or its patience is another one by now."""
    path = run / FILE
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return said["step"] if said and said["patience"] == patience else None
