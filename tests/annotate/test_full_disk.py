"""A disk that fills up in the middle of a job: nothing half-written, and the same bytes once there is room."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import copytree

import pytest

from manifests.dataset import Dataset
from manifests.storage import PARTIAL, locate
from pipelines import annotate, ingest
from tests.faults.compare import compare

CORPUS = "fill50k:1024"  # eight shards


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount a disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(ballast: Path) -> None:
    """Write until nothing more fits: what somebody else does on the same disk."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def do(stage: str, root: Path) -> None:
    if stage == "ingest":
        ingest.main(CORPUS, root, workers=1)
    else:
        annotate.main(root, ["canny"], workers=1)


@pytest.mark.parametrize(("stage", "family"), [("ingest", "images"), ("annotate", "canny")])
def test_a_disk_that_fills_up_midway(
    stage: str, family: str, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRMILL_CACHE", str(tmp_path / "cache"))
    whole, cramped, ballast = tmp_path / "circles", disk / "circles", disk / "ballast"
    if stage == "annotate":
        do("ingest", whole)
        copytree(whole, cramped)

    def fill_midway() -> None:
        wait(lambda: list((cramped / family).glob("*.parquet")))
        fill(ballast)

    filler = threading.Thread(target=fill_midway)
    filler.start()
    with pytest.raises(ValueError, match="No space left on device"):
        do(stage, cramped)
    filler.join()
    assert 0 < len(Dataset.open(cramped).shards(family)) < 8
    assert not [path for path in cramped.rglob(f"*{PARTIAL}") if path.is_file()]

    ballast.unlink()
    do(stage, cramped)
    do(stage, whole)
    assert not compare(locate(whole), locate(cramped))


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + 100
    while not until() and time.monotonic() < deadline:
        time.sleep(0.005)
