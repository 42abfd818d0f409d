"""A disk that fills up in the middle of a job: nothing half-written, and the same bytes once there is room."""

import subprocess
import sys
from collections.abc import Iterator
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


def resize(disk: Path, kilobytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)


def used(disk: Path) -> int:
    """Kilobytes."""
    return int(subprocess.run(["du", "-sk", disk], capture_output=True, check=True).stdout.split()[0])


def do(stage: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, ROOT / "pipelines" / f"{stage}.py", *words, "--workers", "1"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_disk_that_fills_up_midway(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRMILL_CACHE", str(tmp_path / "cache"))
    whole, cramped = tmp_path / "circles", disk / "circles"
    assert do("ingest", CORPUS, whole).returncode == do("annotate", whole, *ANNOTATE).returncode == 0
    for stage, words, family in (("ingest", (CORPUS, cramped), "images"), ("annotate", (cramped, *ANNOTATE), "canny")):
        resize(disk, used(disk) + used(whole / family) // 2)
        done = do(stage, *words)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr or "free" in done.stderr
        assert 0 < len(Dataset.open(cramped).shards(family)) < 8
        assert not [path for path in cramped.rglob(f"*{PARTIAL}") if path.is_file()]

        resize(disk, 100_000)
        assert do(stage, *words).returncode == 0

    assert not compare(locate(whole), locate(cramped))
