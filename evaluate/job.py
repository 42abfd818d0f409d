"""Evaluates a run on Ray: actors draw, re-annotate and score batches of pictures, each batch written once."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from socket import gethostname

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from annotate.annotate_worker import pin_threads
from evaluate.batch import Setup, load_setup, run_batch
from evaluate.pictures import PICTURES_FOLDER, to_table
from evaluate.plan import Task
from evaluate.progress import Progress
from evaluate.report.report import write_report
from evaluate.scores import SCORES_FILE, gather
from evaluate.spec import SPEC_FILE
from evaluate.workers import Batch, device, on_actors, with_trouble
from manifests.alone import alone_in
from manifests.storage import publish, replace

PARTS_FOLDER = "parts"  # scores of single spans of pictures; scores.parquet when all are there


class Evaluator:
    """A Ray actor: it holds the models and evaluates one batch per call."""

    def __init__(self, task: Task) -> None:
        pin_threads()  # as whoever made the conditions; nor may a picture depend on how many cores drew it
        self._task = task
        self._setup: Setup | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Evaluate spans of pictures; an exception here would reach the user as pages of Ray's own words."""
        spans = [range(*ends) for ends in zip(batch["start"].tolist(), batch["stop"].tolist(), strict=True)]
        return with_trouble(batch, [self._attempt(span) for span in spans])

    def _attempt(self, span: range) -> str:
        """Evaluate one span and publish what it gave, pictures before scores; returns what was wrong, or nothing."""
        task, name = self._task, f"{span.start:06d}-{span.stop:06d}.parquet"
        if not (task.folder / SPEC_FILE).is_file():
            return f"{task.folder}: {gethostname()} does not see it. Give --out a folder that all machines share"
        try:
            self._setup = self._setup or load_setup(task, device())
            panels, scores = run_batch(self._setup, task.places, task.pictures[span.start : span.stop])
            publish(partial(pq.write_table, to_table(panels)), task.folder / PICTURES_FOLDER / name)
            publish(partial(pq.write_table, scores), task.folder / PARTS_FOLDER / name)
        except torch.OutOfMemoryError:
            return (
                f"{task.run}: {len(span)} pictures at once do not fit in memory. Lower evaluate.batch_size with --set"
            )
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

    Raises:
        ValueError: Another process writes there, or too few samples ask for anything.
    """
    with alone_in(task.folder):
        return _evaluate(task, progress=progress, actors=actors)


def _evaluate(task: Task, *, progress: Progress, actors: int | None) -> Path:
    parts, total = task.folder / PARTS_FOLDER, len(task.pictures)
    done = {number for span in finished(parts) for number in span}
    progress(len(done), total)
    _drop_unscored(task.folder)
    missing = [number for number in range(total) if number not in done]
    spans = in_spans(missing, task.manifest.evaluate.batch_size)
    items = [{"start": span.start, "stop": span.stop} for span in spans]
    for item in on_actors(Evaluator, (task,), items, actors=actors):
        done.update(range(item["start"], item["stop"]))
        progress(len(done), total)
    _check_all(parts, total)
    scores = gather(pq.read_table(part) for part in sorted(parts.glob("*.parquet")))
    _check_enough(task, scores)
    replace(lambda partial_file: _write(scores, partial_file), task.folder / SCORES_FILE)
    return write_report(task.folder)


def _drop_unscored(folder: Path) -> None:
    """Delete pictures that a kill left without scores: under another batch size they would be there twice."""
    for path in (folder / PICTURES_FOLDER).glob("*.parquet"):
        if not (folder / PARTS_FOLDER / path.name).is_file():
            path.unlink()


def _check_all(parts: Path, total: int) -> None:
    """Refuse to report on a part of the pictures."""
    there = {number for span in finished(parts) for number in span}
    if lacking := total - len(there):
        raise ValueError(
            f"{parts}: scores of {lacking} of {total} pictures are not here, though they were written. Evaluate into a "
            "folder that all machines share, then again: what is missing is drawn"
        )


def _check_enough(task: Task, scores: pa.Table) -> None:
    """Refuse to report on what allows no interval."""
    samples = len(scores["key"].unique())
    if samples == 0:
        raise ValueError(
            f"{task.run}: none of {len(task.places)} samples asks for anything at this crop: all conditions are empty. "
            "Raise evaluate.samples, or ingest more pictures"
        )
    if samples == 1:
        raise ValueError(
            f"{task.run}: one sample of {len(task.places)} asks for something, and one alone says nothing of how sure "
            "its score is. Raise evaluate.samples, or ingest more pictures"
        )


def finished(parts: Path) -> list[range]:
    """The spans of pictures whose scores are there, by the names of their files."""
    ends = [path.stem.split("-") for path in sorted(parts.glob("*.parquet"))]
    return [range(int(start), int(stop)) for start, stop in ends]


def in_spans(numbers: Sequence[int], size: int) -> list[range]:
    """Cut ascending numbers into spans of at most `size`, without gaps: the batch size may change on the way."""
    spans: list[range] = []
    for number in numbers:
        if spans and spans[-1].stop == number and len(spans[-1]) < size:
            spans[-1] = range(spans[-1].start, number + 1)
        else:
            spans.append(range(number, number + 1))
    return spans


def _write(scores: pa.Table, path: Path) -> None:
    pq.write_table(scores, path)
