"""A disk that fills up in the middle of a job: nothing half-written, and the same bytes once there is room."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from annotate.job import ROOT
from manifests.dataset import Dataset
from manifests.storage import PARTIAL, locate
from tests.faults.compare import compare

CORPUS = "fill50k:1024"  # eight shards
ANNOTATE = ("canny", "--resolution", "512")


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


def fill(disk: Path, ballast: Path) -> None:
    """Write until nothing more fits: what somebody else does on the same disk."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def begin(stage: str, *words: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, ROOT / "pipelines" / f"{stage}.py", *words, "--workers", "1"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_disk_that_fills_up_midway(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRMILL_CACHE", str(tmp_path / "cache"))
    whole, cramped, ballast = tmp_path / "circles", disk / "circles", disk / "ballast"
    assert begin("ingest", CORPUS, whole).wait() == begin("annotate", whole, *ANNOTATE).wait() == 0
    for stage, words, family in (("ingest", (CORPUS, cramped), "images"), ("annotate", (cramped, *ANNOTATE), "canny")):
        job = begin(stage, *words)
        while job.poll() is None and not list((cramped / family).glob("*.parquet")):
            time.sleep(0.01)
        fill(disk, ballast)
        said = job.communicate()[1]
        assert job.returncode == 1
        assert "No space left on device" in said
        assert 0 < len(Dataset.open(cramped).shards(family)) < 8
        assert not [path for path in cramped.rglob(f"*{PARTIAL}") if path.is_file()]

        ballast.unlink()
        assert begin(stage, *words).wait() == 0

    assert not compare(locate(whole), locate(cramped))
