"""What every worker of a job keeps to: the right dataset, and trouble reported instead of raised."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from manifests.dataset import Dataset

ATTEMPTS = 3  # deaths of a worker over one shard, after which it is left alone
STALE = 86_400  # seconds, after which nobody is still writing a file: its writer was killed


def open_same(root: str, dataset_id: str) -> Dataset:
    """Open the dataset that the driver means.

    Raises:
        ValueError: this node sees another one, or none, at that path.
    """
    dataset = Dataset.open(root)
    if dataset.settings.id != dataset_id:
        raise ValueError(
            f"node {os.uname().nodename}: {root} is another dataset there. Mount the same storage everywhere"
        )
    return dataset


def attempted(dataset: Dataset, name: str, stage: str, make: Callable[[str], None]) -> str:
    """Make a shard and say what went wrong; a shard that has killed its worker three times is left alone.

    Returns:
        "" when all went well.
    """
    folder = attempts_folder(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    deaths = sorted(folder.glob(f"{stage}-{name}.*"))
    if len(deaths) >= ATTEMPTS:
        return f"it killed its worker {len(deaths)} times; see Ray's logs, and `dmesg` for lack of memory"
    marker = folder / f"{stage}-{name}.{len(deaths)}"
    marker.touch()
    try:
        make(name)
    except Exception as error:  # whatever it is, one shard must not end the job: Ray would throw the rest away
        return f"{type(error).__name__}: {error}"
    finally:
        marker.unlink(missing_ok=True)
    return ""


def clear_up(dataset: Dataset, stage: str) -> None:
    """Begin a job with a clean slate: only deaths within one job count against a shard; what they left goes."""
    for marker in attempts_folder(dataset).glob(f"{stage}-*"):
        marker.unlink(missing_ok=True)
    for partial in dataset.root.glob("*/.partial/*"):
        if time.time() - partial.stat().st_mtime > STALE:
            partial.unlink(missing_ok=True)


def attempts_folder(dataset: Dataset) -> Path:
    """Where a worker leaves a marker while it makes a shard."""
    return dataset.root / "logs" / "attempts"
