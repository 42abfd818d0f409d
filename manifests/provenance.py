"""Which code and which packages made something."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("torch", "torchvision", "diffusers", "transformers", "accelerate", "datasets", "ray", "pyarrow", "numpy"),
    *("opencv-python-headless", "pillow", "controlnet-aux", "duckdb", "scipy", "timm", "tokenizers"),
    *("onnxruntime", "onnxruntime-gpu"),
)


@cache  # asking takes longer than a small shard does
def versions() -> dict[str, str]:
    """Versions of the packages that can change a number; those not installed are left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_revision() -> str:
    """Revision of this checkout, with `+changes` if files differ from it; "unknown" outside a checkout."""
    here = Path(__file__).parent
    try:
        revision = _git(here, "rev-parse", "HEAD")
        return revision + ("+changes" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
