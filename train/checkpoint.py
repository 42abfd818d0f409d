"""Checkpoints: a folder that exists is complete, and training goes on from it with the very next sample."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import Accelerator
from safetensors import SafetensorError

KEEP = 2
NAME = re.compile(r"step-(\d+)")


def save_checkpoint(accelerator: Accelerator, folder: Path, *, step: int) -> None:
    """Save weights, optimiser and scaler after `step` steps; every process must call this.

    Args:
        folder: RUN/checkpoints; only its newest two stay.
    """
    target = folder / f"step-{step:06d}"
    aside = _aside(target)
    if accelerator.is_main_process:
        shutil.rmtree(aside, ignore_errors=True)
    accelerator.wait_for_everyone()
    with _whole_or_gone(aside):
        accelerator.save_state(str(aside))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        _publish(aside, target)
        for old in checkpoints(folder)[:-KEEP]:
            shutil.rmtree(old)


def checkpoints(folder: Path) -> list[Path]:
    """List the complete checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if NAME.fullmatch(path.name)), key=step_of)


def step_of(checkpoint: Path) -> int:
    """Read the number of steps done from a checkpoint's name."""
    match = NAME.fullmatch(checkpoint.name)
    assert match, checkpoint
    return int(match[1])


def load_checkpoint(accelerator: Accelerator, checkpoint: Path) -> int:
    """Restore what `save_checkpoint` saved, in every process; give the number of steps done."""
    accelerator.load_state(str(checkpoint))
    return step_of(checkpoint)


def save_folder(write: Callable[[Path], None], target: Path) -> None:
    """Write a folder aside, then rename it to `target`, in place of an older one."""
    aside = _aside(target)
    shutil.rmtree(aside, ignore_errors=True)
    with _whole_or_gone(aside):
        write(aside)
    _publish(aside, target)


@contextmanager
def _whole_or_gone(aside: Path) -> Iterator[None]:
    """Take a half-written folder away, and say why it could not be written."""
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:  # torch.save raises RuntimeError on a full disk
        shutil.rmtree(aside, ignore_errors=True)
        raise ValueError(
            f"{aside.parent}: could not be written: {error}. Free some space, then start again with --resume"
        ) from error


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def _publish(aside: Path, target: Path) -> None:
    for path in sorted(aside.rglob("*")):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)
