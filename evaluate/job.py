"""Evaluates a run on Ray: actors draw, re-annotate and score batches of test samples, each batch written once."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
import torch
from ray.data import DataContext

from annotate.job import connect
from evaluate.batch import Judge, load_judge, run_batch
from evaluate.pictures import to_table
from evaluate.plan import Task
from evaluate.report import PICTURES_FOLDER, SCORES_FILE, write_report
from evaluate.scores import gather
from manifests.layout import publish, replace

PARTS_FOLDER = "parts"  # scores of single batches; scores.parquet when all are there
Progress = Callable[[int, int], None]  # pictures done, pictures in all


class Evaluator:
    """A Ray actor: it holds the models and evaluates one batch per call."""

    def __init__(self, task: Task) -> None:
        torch.set_num_threads(1)  # a picture must not depend on how many cores drew it
        self._task = task
        self._judge: Judge | None = None

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Evaluate the batches of these numbers; an exception here would reach the user as pages of Ray's own words."""
        trouble = [self._attempt(number) for number in batch["number"].tolist()]
        return {"number": batch["number"], "trouble": np.array(trouble)}

    def _attempt(self, number: int) -> str:
        """Evaluate one batch and publish what it gave, pictures before scores; returns what was wrong, or nothing."""
        task = self._task
        try:
            self._judge = self._judge or load_judge(task, _device())
            panels, scores = run_batch(self._judge, task.places, task.batches[number])
            publish(partial(pq.write_table, to_table(panels)), task.folder / PICTURES_FOLDER / f"{number:06d}.parquet")
            publish(partial(pq.write_table, scores), _part(task, number))
        except (ValueError, OSError) as error:  # what a user can mend; anything else is ours, and may be loud
            return f"{error}"
        return ""


def evaluate(task: Task, *, progress: Progress, actors: int | None = None) -> Path:
    """Draw, re-annotate and score every picture that is not scored yet, then write the report.

    Args:
        task: from `plan_evaluation`.
        progress: told at the start and after every batch.
        actors: how many share the work. Default: one per GPU, else one per CPU.

    Returns:
        report.html.
    """
    sizes = [len(batch) for batch in task.batches]
    missing = [number for number in range(len(sizes)) if not _part(task, number).is_file()]
    done = sum(sizes) - sum(sizes[number] for number in missing)
    progress(done, sum(sizes))
    for number in _work(task, missing, actors):
        done += sizes[number]
        progress(done, sum(sizes))
    scores = gather(pq.read_table(_part(task, number)) for number in range(len(sizes)))
    if not len(scores):
        raise ValueError(f"{task.run}: no test sample asks for anything at this crop. Raise evaluate.samples")
    replace(lambda partial_file: _write(scores, partial_file), task.folder / SCORES_FILE)
    return write_report(task.folder)


def _work(task: Task, missing: list[int], actors: int | None) -> Iterator[int]:
    """Go through the missing batches on Ray; the numbers come in the order in which they are done."""
    if not missing:
        return
    DataContext.get_current().enable_progress_bars = False
    connect(actors or os.cpu_count() or 1)
    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0))
    count = min(len(missing), actors or gpus or max(1, int(resources.get("CPU", 1))))
    numbers = ray.data.from_items([{"number": number} for number in missing], override_num_blocks=len(missing))
    results = numbers.map_batches(
        Evaluator,
        fn_constructor_args=(task,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=count),
        num_cpus=0 if gpus else 1,
        num_gpus=1 if gpus else 0,
    )
    for row in results.iter_rows():
        if row["trouble"]:
            raise ValueError(row["trouble"])
        yield int(row["number"])


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _part(task: Task, number: int) -> Path:
    return task.folder / PARTS_FOLDER / f"{number:06d}.parquet"


def _write(scores: pa.Table, path: Path) -> None:
    pq.write_table(scores, path)
