"""The tracker of a run: TensorBoard, or any that accelerate knows."""

from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import filter_trackers
from accelerate.utils import LoggerType

from train.watch.log import TENSORBOARD

PROJECT = "pairmill"


def check_tracker(tracker: str, run: Path) -> None:
    """Refuse a tracker that accelerate does not know, or whose package is not there.

    Args:
        tracker: its name; "": none.
        run: folder where it may write.
    """
    known = sorted(str(name.value) for name in LoggerType if name != LoggerType.ALL)
    if tracker and tracker not in known:
        raise ValueError(f"watch.tracker: accelerate knows no '{tracker}'. Take one of {', '.join(known)}, or ''")
    if tracker and not filter_trackers([tracker], logging_dir=str(run)):
        raise ValueError(f"watch.tracker: the package of '{tracker}' is not installed. Install it, or take another")


def track(accelerator: Accelerator, tracker: str, *, start: int) -> None:
    """Begin to track, or go on after `start` steps.

    Args:
        tracker: its name; "": none.
    """
    if not tracker:
        return
    # accelerate names TensorBoard's folder after the project: RUN/tensorboard. What lies beyond `start` is dropped.
    kept: dict[str, Any] = {TENSORBOARD: {"purge_step": start + 1}}
    accelerator.init_trackers(TENSORBOARD if tracker == TENSORBOARD else PROJECT, init_kwargs=kept)
