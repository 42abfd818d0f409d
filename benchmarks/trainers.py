"""Two trainers of a ControlNet on the same rows, each run as its users run it: ours, and diffusers' example script."""

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmarks.processes import Taken, run

ROOT = Path(__file__).resolve().parent.parent
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "1"]
WARM = 0.3  # share of the steps that are not counted


@dataclass(frozen=True)
class Task:
    """What both are asked for.

    Attributes:
        folder: for runs and logs.
        export: the rows as diffusers' script reads them.
        manifest: the same rows as ours reads them.
        base: a pipeline's folder.
        precision: "no", "fp16" or "bf16".
        steps: of one run.
        cpu: whether there is no GPU.
    """

    folder: Path
    export: Path
    manifest: Path
    base: Path
    resolution: int
    batch_size: int
    precision: str
    steps: int
    cpu: bool

    @property
    def launch(self) -> list[str]:
        """The beginning of both commands."""
        return [*LAUNCH, *(["--cpu"] if self.cpu else []), "--mixed_precision", self.precision]

    @property
    def counted(self) -> int:
        """The step after which steps are counted."""
        return max(1, round(self.steps * WARM))


@dataclass(frozen=True)
class Speed:
    """What one run came to.

    Attributes:
        rate: samples a second, after the first steps.
        start: seconds from the command to the end of the first step.
        memory: MB at most: of all processes, or in use on the GPU.
    """

    rate: float
    start: float
    memory: float


def ours(task: Task, overrides: Sequence[str]) -> Speed:
    """One start, up to its first step, and one run, whose log says how fast its steps were."""
    first = _run_ours(task, [*overrides, "train.steps=1"])
    taken = _run_ours(task, overrides)
    lines = [json.loads(line) for line in _log(task).read_text().splitlines()]
    seconds = [task.batch_size / line["images_per_second"] for line in lines if line["step"] > task.counted]
    return Speed(task.batch_size / statistics.fmean(seconds), first.seconds, _memory(task, taken))


def theirs(task: Task, script: Path, options: Sequence[str]) -> Speed:
    """One run, timed by the marks that its TensorBoard log gives each step."""
    out = task.folder / "theirs"
    shutil.rmtree(out, ignore_errors=True)
    data = ["--dataset_name", str(task.export), "--resolution", str(task.resolution), "--output_dir", str(out)]
    model = ["--pretrained_model_name_or_path", str(task.base), "--train_batch_size", str(task.batch_size)]
    steps = ["--max_train_steps", str(task.steps), "--checkpointing_steps", "1000000", "--learning_rate", "1e-5"]
    words = [*data, *model, *steps, "--proportion_empty_prompts", "0.5", "--seed", "0", *options]
    began = time.time()
    taken = run([*task.launch, str(script), *words], _environment(task), task.folder / "theirs.log")
    marks = _marks(out / "logs")
    seconds = (marks[task.steps] - marks[task.counted]) / (task.steps - task.counted)
    return Speed(task.batch_size / seconds, marks[1] - began, _memory(task, taken))


def _run_ours(task: Task, overrides: Sequence[str]) -> Taken:
    log = _log(task)
    shutil.rmtree(log.parent, ignore_errors=True)
    words = ["--manifest", str(task.manifest), "--run", str(log.parent)]
    words += [word for override in overrides for word in ("--set", override)]
    command = [*task.launch, str(ROOT / "train/run.py"), *words]
    last = "train.steps=1" in overrides
    reached = (lambda: log.exists() and log.stat().st_size > 0) if last else (lambda: False)
    return run(command, _environment(task), task.folder / "ours.log", reached)


def _log(task: Task) -> Path:
    return task.folder / "ours" / "log.jsonl"


def _marks(folder: Path) -> dict[int, float]:
    """When each step was logged, in seconds since the epoch, by its number."""
    (path,) = [file.parent for file in folder.rglob("events.out.tfevents.*") if file.parent.name == "train_controlnet"]
    events = EventAccumulator(str(path)).Reload()
    return {event.step: event.wall_time for event in events.Scalars("loss")}


def _memory(task: Task, taken: Taken) -> float:
    return taken.tree if task.cpu else taken.device


def _environment(task: Task) -> dict[str, str]:
    """Nothing is asked of the Hub, and what `datasets` copies goes into the scratch folder."""
    own = {"HF_DATASETS_CACHE": str(task.folder / "cache"), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return os.environ | own
