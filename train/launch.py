"""Starts a training as a user would: `accelerate launch train/run.py`, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def launch(manifest: Path, run: Path, overrides: Sequence[str] = (), *, resume: bool = False) -> None:
    """Train to the end; what the training prints goes where this process prints.

    Args:
        manifest: YAML.
        run: folder to write.
        overrides: "section.field=value".
        resume: go on from the run's newest checkpoint.

    Raises:
        ValueError: The training stopped; it has said why.
    """
    command = [sys.executable, "-m", "accelerate.commands.launch", *_one_process(), str(ROOT / "train" / "run.py")]
    command += ["--manifest", str(manifest), "--run", str(run)]
    command += [word for override in overrides for word in ("--set", override)]
    command += ["--resume"] if resume else []
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise ValueError(f"{run}: the training stopped with exit code {done.returncode}; the reason is printed above")


def _one_process() -> list[str]:
    """One process, with every core: accelerate's own default is one thread."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    options = {
        "--num_processes": "1",
        "--num_machines": "1",
        "--mixed_precision": "no",  # the manifest says which
        "--dynamo_backend": "no",
        "--num_cpu_threads_per_process": str(cores),
    }
    return [word for option in options.items() for word in option]
