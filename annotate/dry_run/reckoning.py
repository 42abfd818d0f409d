"""From a trial to the forecast of its job, and what there is to be warned of."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotate.annotate_worker import AnnotateOrder
from annotate.dry_run.crew import Crew
from annotate.dry_run.forecast import Range, makespan, memory_of, part_of_work
from annotate.dry_run.outcome import Outcome, Share
from annotate.dry_run.pace import measure_pace
from annotate.dry_run.prediction import FamilyPrediction, predict_family
from manifests.dataset import Dataset
from manifests.layout import IMAGES
from manifests.room import in_bytes

COPIES = 2  # of a row that a worker holds at its peak: as Arrow and as Python objects

BUSY = 0.85  # share of the time that a process has a core, below which figures of time say little


@dataclass(frozen=True)
class Trial:
    """What was tried, and what came out: an excerpt of a dataset, the shares of it that processes had.

    Attributes:
        startup: seconds until the last process was ready.
    """

    dataset: Dataset
    excerpt: Dataset
    shares: Sequence[Share]
    outcomes: Sequence[Outcome]
    startup: float


@dataclass(frozen=True)
class Forecast:
    """What a job would be like.

    Attributes:
        rows, to_make: of the dataset, and those that some family lacks.
        sampled: rows that were tried, in so many processes at once.
        per_worker, together: pictures a second, of one worker beside the others and of all.
        seconds: of the job, from `startup`, the time a worker takes to be ready, `loading` of it for weights.
        stages: shares of a worker's time.
        processor: share of the time that a process had a core.
        memory, gpu_memory: bytes of one worker.
        batch_size: that fits.
        bytes: of all families.
        free: bytes where the dataset lies; None for an object store.
    """

    dataset: str
    rows: int
    to_make: int
    shards: int
    sampled: int
    processes: int
    workers: int
    per_worker: Range
    together: Range
    seconds: Range
    startup: float
    loading: float
    stages: dict[str, float]
    processor: float
    memory: int
    gpu_memory: int
    batch_size: int
    bytes: Range
    free: int | None
    families: tuple[FamilyPrediction, ...]


def reckon(
    trial: Trial, order: AnnotateOrder, lacking: Mapping[str, tuple[str, ...]], rows: Mapping[str, int], crew: Crew
) -> Forecast:
    """The forecast of a job.

    Args:
        order: of the job, its tasks those that were tried.
        lacking: the families that the job would make of each shard.
        rows: of each of those shards.
    """
    dataset, outcomes, population = trial.dataset, trial.outcomes, sum(rows.values())
    families = tuple(_families(trial, order, lacking, rows))
    pace = measure_pace(trial.shares, outcomes, population)
    portions = [count * part_of_work(pace.work, lacking[name]) for name, count in rows.items()]
    per_worker = pace.seconds.times(crew.slowdown)
    return Forecast(
        dataset=str(dataset.root),
        rows=dataset.rows(),
        to_make=population,
        shards=len(rows),
        sampled=sum(share.rows for share in trial.shares),
        processes=crew.here,
        workers=crew.workers,
        per_worker=per_worker.inverse(),
        together=per_worker.inverse().times(crew.workers),
        seconds=per_worker.times(makespan(portions, crew.workers)).plus(trial.startup),
        startup=trial.startup,
        loading=max(outcome.loading for outcome in outcomes),
        stages=pace.stages,
        processor=pace.processor,
        memory=_memory(trial, families, max(rows.values())),
        gpu_memory=max(outcome.gpu_memory for outcome in outcomes),
        batch_size=min(outcome.batch_size for outcome in outcomes),
        bytes=_sum(one.bytes for one in families),
        free=shutil.disk_usage(dataset.root).free if isinstance(dataset.root, Path) else None,
        families=families,
    )


def _families(
    trial: Trial, order: AnnotateOrder, lacking: Mapping[str, tuple[str, ...]], rows: Mapping[str, int]
) -> Iterator[FamilyPrediction]:
    """What each family of the job would be; arguments as `reckon` has them."""
    said = [one for outcome in trial.outcomes for one in outcome.said]
    for task in order.tasks:
        lacks = {name: rows[name] for name in rows if task.family in lacking[name]}
        yield predict_family(trial.excerpt, trial.shares, task, rows=lacks, population=sum(rows.values()), said=said)


def _memory(trial: Trial, families: Sequence[FamilyPrediction], rows: int) -> int:
    """Bytes of a worker over a shard of so many rows."""
    return memory_of(
        max(outcome.memory for outcome in trial.outcomes),
        held=max(share.rows for share in trial.shares),
        rows=rows,
        bytes_per_row=COPIES * (_stored(trial) + sum(one.bytes_per_row.likely for one in families)),
    )


def warnings(forecast: Forecast, order: AnnotateOrder, crew: Crew, max_failed: float) -> Iterator[str]:
    """What stands against the job as it was asked for, each with a way out."""
    if forecast.free is not None and forecast.bytes.high > forecast.free:
        yield (
            f"disk: {in_bytes(forecast.bytes.low)} to {in_bytes(forecast.bytes.high)} are needed where the dataset "
            f"lies, and {in_bytes(forecast.free)} are free. Make room, lower --resolution, or make fewer families"
        )
    if forecast.batch_size < order.batch_size:
        yield (
            f"memory: a batch of {order.batch_size} does not fit, one of {forecast.batch_size} does. Workers find that "
            f"out over each shard again: say --batch-size {forecast.batch_size}"
        )
    if forecast.processor < BUSY:
        yield (
            f"this machine is busy, or its disk slow: processes had a core for {forecast.processor:.0%} of the time, "
            f"and with one to themselves would be up to {1 / forecast.processor:.1f} times as fast. Try on an idle one"
        )
    if not crew.elsewhere and crew.workers > crew.room:
        yield f"{crew.workers} workers share room for {crew.room}, and gain nothing. Say --workers {crew.room}"
    if forecast.shards < crew.workers:
        idle = crew.workers - forecast.shards
        yield f"{forecast.shards} shards, each made by one worker: {idle} of {crew.workers} workers have nothing to do"
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if not crew.elsewhere and forecast.memory * crew.workers > installed:
        yield (
            f"memory: {crew.workers} workers take {in_bytes(forecast.memory)} each, and this machine has "
            f"{in_bytes(installed)}. Use fewer --workers"
        )
    for family in forecast.families:
        if family.failed.high > max_failed:
            will = "is" if family.failed.low > max_failed else "may be"
            yield (
                f"{family.family}: {family.failed.low:.2%} to {family.failed.high:.2%} of the rows fail, and "
                f"--max-failed {max_failed:.3%} {will} exceeded: the job would end early. Mend the cause, or raise it"
            )


def assumptions(forecast: Forecast, crew: Crew) -> Iterator[str]:
    """What the figures take for granted."""
    if crew.elsewhere:
        yield "tried on the node that this runs on, the driver's; nodes like this one are assumed"
    if forecast.free is None:
        yield "tried on a copy of the sample on this machine: what the object store takes to read and write is left out"
    yield "the start of Ray, some seconds, and the index afterwards are not in the time"


def _sum(ranges: Iterator[Range]) -> Range:
    """Of totals that stand or fall together, as those of families of the same pictures do."""
    found = list(ranges)
    return Range(*(sum(getattr(one, end) for one in found) for end in ("low", "likely", "high")))


def _stored(trial: Trial) -> float:
    """Bytes of a stored picture with its words, on average over the sample."""
    sizes = [trial.excerpt.path(IMAGES, share.name).stat().st_size for share in trial.shares]
    return sum(sizes) / sum(share.rows for share in trial.shares)
