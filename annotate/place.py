"""Where a user says that something lies: absolute, and so the same for whoever does the work."""

import os
from pathlib import Path

from upath import UPath

from manifests.storage import check_local, locate


def in_job() -> bool:
    """Whether this process is the entry point of `ray job submit`."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ


def check_dataset(where: str | Path | UPath) -> UPath:
    """A dataset's path as `check_path` wants it, or its address, as s3://bucket/prefix, as it is.

    Raises:
        ValueError: a relative path inside a job, or a store that doesn't answer.
    """
    place = locate(where)
    if isinstance(place, Path):
        return locate(check_path(place, "dataset"))
    try:
        place.exists()
    except Exception as error:  # each store's library raises its own
        raise ValueError(f"{place}: {error}. Set what it asks for, as AWS_ACCESS_KEY_ID, on every node") from error
    return place


def check_path(path: Path, what: str) -> Path:
    """The path, absolute; inside a submitted job a relative one is refused: no worker would find it.

    Raises:
        ValueError: relative, inside a job.
    """
    check_local(path, what)
    if in_job() and not path.is_absolute():
        raise ValueError(f"{what} {path}: relative, and a Ray job runs elsewhere. Give the path as every node sees it")
    return path.absolute()
