"""Starts a training as a user would: `accelerate launch train/run.py`, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from manifests.difference import differences
from manifests.manifest import Manifest, load_manifest
from train.run_folder import load_provenance

ROOT = Path(__file__).resolve().parent.parent


def ensure_trained(manifest: Path, run: Path, overrides: Sequence[str] = ()) -> bool:
    """Train to the end, unless that is done: an interrupted run goes on, a finished one is left alone.

    Args:
        manifest: YAML.
        run: folder to write; another run's is refused.
        overrides: "section.field=value".

    Returns:
        Whether there was anything to do.

    Raises:
        ValueError: Another run is there, or the training stopped (it has said why).
    """
    if is_finished(run, load_manifest(manifest, overrides)):
        return False
    command = [sys.executable, "-m", "accelerate.commands.launch", *_one_process(), str(ROOT / "train" / "run.py")]
    command += ["--manifest", str(manifest), "--run", str(run)]
    command += [word for override in overrides for word in ("--set", override)]
    command += ["--resume"] if (run / "provenance.json").is_file() else []
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise ValueError(f"{run}: the training stopped with exit code {done.returncode}; the reason is printed above")
    return True


def is_finished(run: Path, manifest: Manifest) -> bool:
    """Whether this very training lies there, whole.

    Raises:
        ValueError: A finished run of another manifest is there; names what differs.
    """
    if not (run / "controlnet" / "config.json").is_file():
        return False
    there, here = (
        {name: value for name, value in fields.items() if name != "evaluate"}
        for fields in (load_provenance(run).manifest, manifest.model_dump(mode="json"))
    )
    if there != here:
        raise ValueError(f"{run}: another run is here; {'; '.join(differences(there, here))}. Choose another folder")
    return True


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
