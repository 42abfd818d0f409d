"""Every entry point runs from any folder, as a file and as a module, and says what it made."""

import os
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
import ray

from annotate.job import ROOT, connect
from manifests.dataset import Dataset

COMMANDS = sorted(
    path.stem for path in (ROOT / "pipelines").glob("*.py") if '__name__ == "__main__":\n    run' in path.read_text()
)

END = "\f"
# Asks each script for help in a process of its own, all of which have the large libraries from this one.
EACH_AS_ITSELF = f"""
import os, pathlib, runpy, sys
import datasets, matplotlib.pyplot, ray.data, scipy.optimize, scipy.stats, torchmetrics, torchvision
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel, UniPCMultistepScheduler
from transformers import CLIPTextModel, CLIPTokenizer
folder, names = pathlib.Path(sys.argv[1]).parent, sys.argv[2:]
for name in names:
    if not os.fork():
        sys.path[0], sys.argv = str(folder), [name, "--help"]
        runpy.run_path(str(folder / (name + ".py")), run_name="__main__")
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0, name
    print({END!r}, flush=True)
"""


def as_file(name: str) -> list[str]:
    return [sys.executable, str(ROOT / "pipelines" / f"{name}.py")]


def as_module(name: str) -> list[str]:
    return [sys.executable, "-m", f"pipelines.{name}"]


@pytest.fixture(scope="module")
def cluster() -> dict[str, str]:
    """Environment of a command that joins the Ray of these tests instead of starting its own."""
    connect(2)
    return {**os.environ, "RAY_ADDRESS": ray.get_runtime_context().gcs_address}


def test_every_stage_has_an_entry_point() -> None:
    assert {"ingest", "annotate", "index", "subset", "evaluate", "study", "quickstart"} <= set(COMMANDS)


def test_every_entry_point_has_help_with_an_example_in_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", EACH_AS_ITSELF, *as_file("")[1:], *COMMANDS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name, said in zip(COMMANDS, done.stdout.split(END)[:-1], strict=True):
        assert f"pipelines/{name}.py" in said


@pytest.mark.parametrize("command", [as_file, as_module])
def test_help_is_given_as_a_file_and_as_a_module(command: Callable[[str], list[str]], tmp_path: Path) -> None:
    done = subprocess.run([*command("ingest"), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "pipelines/ingest.py" in done.stdout


def test_a_corpus_is_ingested_and_annotated_from_another_folder(tmp_path: Path, cluster: dict[str, str]) -> None:
    def said(command: list[str], *words: str) -> list[str]:
        asked = [*command, *words, "--workers", "1"]
        done = subprocess.run(asked, cwd=tmp_path, env=cluster, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")  # no bar where nobody looks, and nothing of Ray's own
        return done.stdout.splitlines()

    root = tmp_path / "pairs"
    assert said(as_file("ingest"), "fill50k:20", "pairs") == [
        "20 records in = 20 kept + 0 dropped",
        "truth_edges: 20 rows in = 20 ok + 0 empty + 0 failed",
        f"made {root}: images/ in 1 shards",
    ]
    assert said(as_module("annotate"), "pairs", "canny", "--set", "canny.low=50") == [
        "canny: 20 rows in = 20 ok + 0 empty + 0 failed",
        f"made {root / 'canny'}",
    ]
    assert Dataset.open(root).card("canny").settings["low"] == 50


def test_a_terminal_sees_a_rate_and_the_time_left(tmp_path: Path, cluster: dict[str, str]) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [*as_file("ingest"), "fill50k:300", str(tmp_path / "pairs"), "--workers", "1"]
    done = subprocess.Popen(command, env=cluster, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
    assert done.wait() == 0
    lines = [line for line in seen.decode().replace("\r", "\n").split("\n") if line.strip()]
    assert "ingest: 100%" in lines[-1]
    assert "300/300" in lines[-1]
    assert "img/s" in lines[-1]
    assert all(line.startswith("ingest:") for line in lines)
