"""What a machine has: Python, packages, cores, GPUs, room on its disks, Ray's token; each with a remedy if it lacks."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from huggingface_hub import constants
from packaging.version import Version

from manifests.parallel import usable_cores
from manifests.room import in_bytes

PYTHON = (3, 11)
PACKAGES = {  # the least versions, as in pyproject.toml
    "torch": "2.11",
    "ray": "2.57",
    "opencv-python-headless": "4.11",
    "diffusers": "0.40",
    "transformers": "5.17",
    "controlnet-aux": "0.0.10",
    "datasets": "5.0",
}
LITTLE = 5e9  # bytes of a disk: fewer don't hold one large detector with a shard beside it
INSTALL = "make install"


@dataclass(frozen=True)
class Check:
    """One thing about the machine; `remedy` is "" where all is well."""

    what: str
    found: str
    remedy: str = ""


def check_machine() -> list[Check]:
    """Look at everything that a job here needs."""
    return [_python(), *_packages(), _cores(), *_gpus(), *_disks(), _token()]


def _python() -> Check:
    wanted = ".".join(map(str, PYTHON))
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", found, "" if sys.version_info >= PYTHON else f"use {wanted} or newer, then {INSTALL}")


def _packages() -> Iterator[Check]:
    for package, least in PACKAGES.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            yield Check(package, "not installed", INSTALL)
        else:
            yield Check(package, found, "" if Version(found) >= Version(least) else f"needs {least}: {INSTALL}")


def _cores() -> Check:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Check("cores", f"{usable_cores()}, {in_bytes(memory)} of memory")


def _gpus() -> Iterator[Check]:
    for number in range(torch.cuda.device_count()):
        known = torch.cuda.get_device_properties(number)
        free, _ = torch.cuda.mem_get_info(number)
        yield Check(f"GPU {number}", f"{known.name}, {in_bytes(known.total_memory)}, {in_bytes(free)} free")
    if not torch.cuda.is_available():
        driver = shutil.which("nvidia-smi") is not None
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        yield Check("GPU", f"none; {built}", f"{built}, and the driver has one: install the other torch" * driver)


def _disks() -> Iterator[Check]:
    places = {
        "here": Path.cwd(),
        "temporary files": Path(tempfile.gettempdir()),
        "Hub cache": Path(constants.HF_HUB_CACHE),
    }
    for what, place in places.items():
        there = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(there).free
        yield Check(f"disk, {what}", f"{in_bytes(free)} free in {place}", "make room there" if free < LITTLE else "")


def _token() -> Check:
    """Whether there is one; it is not read."""
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    there = "RAY_AUTH_TOKEN" in os.environ or file.is_file()
    mode = os.environ.get("RAY_AUTH_MODE", "")
    if mode == "token" and not there:
        return Check(
            "Ray token", "RAY_AUTH_MODE=token, and none", f"ray get-auth-token --generate, or copy it to {file}"
        )
    if there and mode != "token":
        return Check(
            "Ray token", "there, and not used: jobs on this machine alone need none, a cluster RAY_AUTH_MODE=token"
        )
    return Check(
        "Ray token", "there, and used" if there else "none: jobs on this machine alone need none, a cluster does"
    )
