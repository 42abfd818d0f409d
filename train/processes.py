"""The processes of a run: as many as were asked for, joined by accelerate."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser

from train.speed import can_compile

BUILDING = timedelta(hours=6)  # how long the others wait while the first process builds a training set
LAUNCHERS = ("launch", "launch.py", "accelerate-launch")  # the word before accelerate's own arguments


def start_the_others(script: Path, arguments: list[str]) -> None:
    """Start again under torchrun if `accelerate launch --num_processes N` left all but one process unstarted.

    Without GPUs accelerate starts one process, whatever N is, and says nothing; with one GPU, too. On the CPU the
    others are started here; with too few GPUs the run is refused.

    Args:
        script: what accelerate launched.
        arguments: its arguments.
    """
    if "LOCAL_RANK" in os.environ:
        return
    asked = _asked_for()
    if asked <= 1:
        return
    if torch.cuda.is_available() and os.environ.get("ACCELERATE_USE_CPU", "False") != "True":
        raise ValueError(
            f"accelerate launch: {asked} processes are asked for, and there are {torch.cuda.device_count()} GPUs. "
            "Ask for as many processes as there are GPUs, or add --cpu"
        )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={asked}", "--"]
    os.execv(sys.executable, [*launcher, str(script), *arguments])


def join(precision: str, *, tracker: str = "", run: Path | None = None) -> Accelerator:
    """Join the processes of this run.

    Args:
        precision: "no" (float32), "fp16" or "bf16": what autocast computes in; the trained weights stay float32.
        tracker: one that `train.watch.tracking.check_tracker` lets pass; "": none.
        run: folder where the tracker may write.

    Raises:
        ValueError: This machine can't do it.
    """
    if precision == "fp16" and not torch.cuda.is_available():
        raise ValueError("train.precision: fp16 needs a GPU, and there is none here. Take bf16, or no for float32")
    accelerator = Accelerator(
        cpu=not torch.cuda.is_available(),
        mixed_precision=precision,
        dynamo_backend="no",  # `engine.compile` says what is compiled, whatever accelerate's own configuration has
        log_with=[tracker] if tracker else None,
        project_dir=str(run) if run else None,
        kwargs_handlers=[
            DistributedDataParallelKwargs(gradient_as_bucket_view=True),
            InitProcessGroupKwargs(timeout=BUILDING),
        ],
    )
    assert accelerator.num_processes == int(os.environ.get("WORLD_SIZE", "1")), "every process joined the run"
    return accelerator


def why_slow(precision: str, compiled: bool | None) -> Iterator[str]:
    """Why this machine will take longer than it might, a sentence each.

    Args:
        precision: as `train.precision`.
        compiled: as `engine.compile`.
    """
    on_gpu = torch.cuda.is_available()
    if precision == "bf16" and not on_gpu and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        yield (
            "train.precision: this processor has no instructions for bf16, and takes several times as long as with "
            '--set train.precision="no", which is float32'
        )
    if compiled is None and on_gpu and not can_compile():
        yield "engine.compile: not done, for there is no C compiler here, or no Python.h. Install gcc and python3-dev"


def _asked_for() -> int:
    """Read from the command line of `accelerate launch`, our parent, how many processes it was to start."""
    parent = psutil.Process().parent()  # None of the first process in a container
    words = parent.cmdline() if parent else []
    launcher = next((place for place, word in enumerate(words) if word.endswith(LAUNCHERS)), None)
    if "ACCELERATE_MIXED_PRECISION" not in os.environ or launcher is None:
        return 1
    asked = launch_command_parser().parse_args(words[launcher + 1 :])
    if asked.num_processes is None and asked.config_file is not None:
        return int(load_config_from_file(asked.config_file).num_processes)
    return int(asked.num_processes or 1)
