"""What a training leaves: RUN/controlnet/, and RUN/best/ while a better one may still come."""

import json
import shutil
from pathlib import Path

from torch import Tensor

from manifests.control import ControlSettings
from manifests.storage import replace_text
from train.best import Best, read_best, replace_best
from train.control.registry import save_control
from train.engine import SHARDED, Engine
from train.interchange.measured import measured
from train.interchange.model_card import trained_by, write_model_card
from train.run_folder import PROVENANCE
from train.whole_folder import save_folder
from train.work import Work

STEPS_FILE = "steps.json"  # in RUN/controlnet: after how many steps its weights were taken


def export(engine: Engine, work: Work, control: ControlSettings, *, steps: int) -> None:
    """Leave RUN/controlnet/ with its card: the last weights, or the best ones; every process must call this.

    Args:
        control: of the network that is in the engine, which may be that of a stage.
        steps: done.
    """
    wanted = work.manifest.watch.export == "best"
    best = read_best(work.run) if wanted else None
    if wanted and best is None:
        work.say(f"{work.run}: no probe was scored, so the last weights are taken for the best")

    def write(folder: Path) -> None:
        if best:
            shutil.copytree(work.run / "best", folder, dirs_exist_ok=True)
            shutil.copy(work.run / PROVENANCE, folder)  # the manifest may ask for more steps than it did then
        else:
            _write(engine, work, control, folder, state)
        trained = trained_by(work.cards, work.manifest.dataset, work.run, steps=best.step if best else steps)
        replace_text(json.dumps({"steps": trained.steps}) + "\n", folder / STEPS_FILE)
        write_model_card(folder, trained, measured(work.run, folder, step=trained.steps))

    with engine.result_weights():
        state = _state(engine)
        if engine.accelerator.is_main_process:
            save_folder(write, work.run / "controlnet")


def save_best(engine: Engine, work: Work, control: ControlSettings, best: Best) -> None:
    """Put these weights into RUN/best/; every process must call this.

    Args:
        control: of the network that is in the engine, which may be that of a stage.
    """
    with engine.result_weights():
        state = _state(engine)
        if engine.accelerator.is_main_process:
            replace_best(lambda folder: _write(engine, work, control, folder, state), work.run, best)


def _state(engine: Engine) -> dict[str, Tensor] | None:
    """The whole weights, gathered by all processes, where each holds a part of them; else None."""
    if engine.accelerator.distributed_type not in SHARDED:
        return None
    state: dict[str, Tensor] = engine.accelerator.get_state_dict(engine.control)
    return state


def _write(engine: Engine, work: Work, control: ControlSettings, folder: Path, state: dict[str, Tensor] | None) -> None:
    conditions = len(work.manifest.conditions)
    save_control(engine.plain, control, folder, conditions=conditions, state=state)
    shutil.copy(work.run / PROVENANCE, folder)
