"""What a training leaves: RUN/controlnet/, and RUN/best/ while a better one may still come."""

import shutil
from pathlib import Path

from accelerate import DistributedType
from torch import Tensor

from train.best import Best, replace_best
from train.control.registry import save_control
from train.engine import Engine
from train.whole_folder import save_folder
from train.work import Work

SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED)


def export(engine: Engine, work: Work) -> None:
    """Leave RUN/controlnet/: the last weights, or the best ones; every process must call this."""
    best = work.run / "best"
    if work.manifest.watch.export == "best" and best.is_dir():
        if engine.accelerator.is_main_process:
            save_folder(lambda folder: _copy(best, folder), work.run / "controlnet")
        return
    with engine.result_weights():
        state = _state(engine)
        if engine.accelerator.is_main_process:
            save_folder(lambda folder: _write(engine, work, folder, state), work.run / "controlnet")


def save_best(engine: Engine, work: Work, best: Best) -> None:
    """Put these weights into RUN/best/; every process must call this."""
    with engine.result_weights():
        state = _state(engine)
        if engine.accelerator.is_main_process:
            replace_best(lambda folder: _write(engine, work, folder, state), work.run, best)


def _state(engine: Engine) -> dict[str, Tensor] | None:
    """The whole weights, gathered by all processes, where each holds a part of them; else None."""
    if engine.accelerator.distributed_type not in SHARDED:
        return None
    state: dict[str, Tensor] = engine.accelerator.get_state_dict(engine.control)
    return state


def _write(engine: Engine, work: Work, folder: Path, state: dict[str, Tensor] | None) -> None:
    conditions = 1 + len(work.manifest.further_conditions)
    save_control(engine.plain, work.manifest.control, folder, conditions=conditions, state=state)
    shutil.copy(work.run / "provenance.json", folder)


def _copy(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True)
