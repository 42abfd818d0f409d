"""A job that was killed and started again leaves the very files of one that was not."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import psutil
import pytest
import torch

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.job import ROOT
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from evaluate.page.strip import show_examples
from manifests.dataset import SETTINGS, Dataset
from manifests.family import create_card
from manifests.hub import write_dataset_card
from manifests.index import build_index
from manifests.layout import IMAGES
from pipelines import annotate, ingest

CORPUS = "fill50k:1024"  # eight shards
COMMANDS = {"ingest": (CORPUS, "{root}"), "annotate": ("{root}", "canny")}  # of pipelines/, with one worker
MADE = {"ingest": IMAGES, "annotate": "canny"}  # the family that a stage makes
STAGES = pytest.mark.parametrize("stage", list(MADE))


def run(stage: str, root: Path) -> None:
    if stage == "ingest":
        ingest.main(CORPUS, root, workers=1)
    else:
        annotate.main(root, ["canny"], workers=1)


def contents(root: Path) -> dict[str, bytes]:
    """Every file that a reader of the dataset may see; a dataset's id is drawn once and differs between two."""
    paths = [path for path in root.rglob("*") if path.is_file()]
    named = {path.relative_to(root): path for path in paths}
    passing = {".partial", "logs", SETTINGS}
    return {str(name): path.read_bytes() for name, path in named.items() if not passing & set(name.parts)}


def wait(until: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.01)


def shards(root: Path, stage: str) -> int:
    return len(list((root / MADE[stage]).glob("*.parquet")))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The dataset after each stage, made in this process, shard after shard."""
    ingested, annotated = (tmp_path_factory.mktemp(stage) / "circles" for stage in ("ingested", "annotated"))
    dataset = make_plan(ingested, find_corpus(CORPUS))
    for name in dataset.planned():
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    finish(dataset)
    copytree(ingested, annotated)
    dataset = Dataset.open(annotated)
    tasks = make_tasks(dataset, ["canny"])
    create_card(annotated, tasks[0].card)
    bound = bind(tasks, torch.device("cpu"))
    for name in dataset.shards():
        annotate_shard(dataset, name, bound, batch_size=8, threads=1, done=lambda _: None)
    show_examples(dataset)
    finish(dataset)
    return {"ingest": ingested, "annotate": annotated}


def finish(dataset: Dataset) -> None:
    build_index(dataset)
    write_dataset_card(dataset)


@pytest.fixture
def begun(uninterrupted: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A dataset that a stage has yet to work on."""

    def begin(stage: str) -> Path:
        if stage == "annotate":
            copytree(uninterrupted["ingest"], tmp_path / "circles")
        return tmp_path / "circles"

    return begin


@STAGES
def test_a_job_killed_midway_and_started_again_leaves_the_same_bytes(
    stage: str, uninterrupted: dict[str, Path], begun: Callable[[str], Path]
) -> None:
    root = begun(stage)
    arguments = [word.format(root=root) for word in COMMANDS[stage]]
    command = [sys.executable, ROOT / "pipelines" / f"{stage}.py", *arguments, "--workers", "1"]
    job = subprocess.Popen(command, start_new_session=True)
    try:
        wait(lambda: shards(root, stage) or job.poll() is not None)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    made = shards(root, stage)
    assert 0 < made < 8, "killed too early or too late to show anything"

    run(stage, root)

    assert contents(root) == contents(uninterrupted[stage])


@STAGES
def test_a_worker_killed_midway_is_replaced_and_leaves_the_same_bytes(
    stage: str, uninterrupted: dict[str, Path], begun: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = begun(stage)
    killed: list[int] = []

    def kill() -> None:
        wait(lambda: shards(root, stage))
        worker = next(process for process in psutil.Process().children(recursive=True) if is_worker(process))
        if shards(root, stage) < 8:
            worker.kill()
            killed.append(worker.pid)

    killer = threading.Thread(target=kill)
    killer.start()
    run(stage, root)
    killer.join()

    assert killed
    assert contents(root) == contents(uninterrupted[stage])
    assert len(Dataset.open(root).shards(MADE[stage])) == 8


def is_worker(process: psutil.Process) -> bool:
    try:
        return any("Worker)" in word for word in process.cmdline())
    except psutil.Error:
        return False
