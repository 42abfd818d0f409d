"""The tracker of a run: TensorBoard, or any that accelerate knows."""

from typing import Any

from accelerate import Accelerator

from train.log import TENSORBOARD

PROJECT = "pairmill"


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
