"""Starts a training in a process of its own, as `accelerate launch --num_processes 1 train/run.py` does."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from manifests.difference import differences
from manifests.manifest import Manifest, load_manifest
from manifests.parallel import usable_cores
from train.run_folder import PROVENANCE, load_provenance

ROOT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1  # of Linux's prctl.h


def ensure_trained(
    manifest: Path, run: Path, overrides: Sequence[str] = (), *, cores: int | None = None, log: Path | None = None
) -> bool:
    """Train to the end, unless that is done: an interrupted run goes on, a finished one is left alone.

    Args:
        manifest: YAML.
        run: folder to write; another run's is refused.
        overrides: "section.field=value".
        cores: that it computes on; all by default.
        log: file that what it says is added to; by default it says it here.

    Returns:
        Whether there was anything to do.

    Raises:
        ValueError: Another run is there, or the training stopped; with its last words, where they were kept.
    """
    if is_finished(run, load_manifest(manifest, overrides)):
        return False
    command = [sys.executable, str(ROOT / "train" / "run.py"), "--manifest", str(manifest), "--run", str(run)]
    command += [word for override in overrides for word in ("--set", override)]
    command += ["--resume"] if (run / PROVENANCE).is_file() else []
    environment = os.environ | {"OMP_NUM_THREADS": str(cores or usable_cores())}
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") if log else nullcontext() as kept:
        done = subprocess.run(
            command, check=False, env=environment, stdout=kept, stderr=kept, preexec_fn=_die_with(os.getpid())
        )
    if done.returncode:
        said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log else []
        why = next((line for line in reversed(said) if line.strip()), "the reason is printed above")
        raise ValueError(f"{run}: the training stopped with exit code {done.returncode}; {why}")
    return True


def is_finished(run: Path, manifest: Manifest) -> bool:
    """Whether this very training lies there, whole.

    Raises:
        ValueError: A finished run of another manifest is there; names what differs.
    """
    if not (run / "controlnet" / "config.json").is_file():
        return False
    try:  # what the weights there were made by: the run may have been going on since
        stored = Manifest.model_validate(load_provenance(run / "controlnet").manifest)  # of older ones, with defaults
    except ValidationError as error:
        raise ValueError(f"{run}: a run of another version of Pairmill is here. Choose another folder") from error
    there, here = (_trains(each) for each in (stored, manifest))
    if stored.train.steps < manifest.train.steps:  # it goes on to what is asked for
        there["train"]["steps"] = manifest.train.steps
        if there == here:
            return False
    if there != here:
        raise ValueError(f"{run}: another run is here; {'; '.join(differences(there, here))}. Choose another folder")
    return True


def _trains(manifest: Manifest) -> dict[str, Any]:
    """What of a manifest decides the weights that a run leaves."""
    fields = manifest.model_dump(mode="json", exclude={"evaluate", "engine", "watch"})
    return fields | {"watch.patience": manifest.watch.patience, "watch.export": manifest.watch.export}


def _die_with(parent: int) -> Callable[[], None] | None:
    """What a child does first, so that it ends when this process is killed: else two trainings would write one run."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)

    def follow() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was killed just now
            os._exit(1)

    return follow
