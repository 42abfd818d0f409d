"""What a dry run of annotate.py foresees, on a terminal and as JSON."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from annotate import job
from annotate.again import parse_retry
from annotate.annotate_worker import AnnotateOrder
from annotate.corpora.text import visible
from annotate.dry_run.crew import Crew
from annotate.dry_run.forecast import Range, duration
from annotate.dry_run.prediction import FamilyPrediction
from annotate.dry_run.reckoning import Forecast, assumptions, warnings
from annotate.dry_run.run import dry_run, outstanding
from annotate.place import in_job
from annotate.pool import Pool
from manifests.dataset import Dataset
from manifests.family import CARD, check_card
from manifests.room import in_bytes
from pipelines.entry import terminal

LONGEST = 160  # characters of what a fault said


@dataclass(frozen=True)
class Trying:
    """What a dry run is asked.

    Attributes:
        sample: rows to try.
        refresh, retry, max_failed: of the job.
        json: file for the forecast, if any.
    """

    sample: int
    refresh: bool
    retry: str
    max_failed: float
    json: Path | None


def foresee(dataset: Dataset, order: AnnotateOrder, pool: Pool, trying: Trying) -> int:
    """Try a sample of what a job would make, and print what that says of all of it.

    Returns:
        The batch size that fits.

    Raises:
        ValueError: what the job would be refused for too.
    """
    for task in order.tasks:
        if not trying.refresh and (dataset.root / task.family / CARD).exists():
            check_card(dataset.root, task.card)
    retry = parse_retry(trying.retry) if trying.retry else None
    lacking = outstanding(dataset, order.tasks, dataset.shards(), refresh=trying.refresh, retry=retry)
    console = terminal(highlight=False, soft_wrap=True)
    if not lacking:
        console.print(Text(f"{dataset.root}: nothing is missing"))
        write(trying.json, {"dataset": str(dataset.root), "to_make": 0})
        return order.batch_size
    crew = muster(pool)
    with tqdm(total=trying.sample, desc="dry run", unit="img", disable=not sys.stderr.isatty()) as bar:

        def done(rows: int) -> None:
            bar.update(rows - bar.n)

        forecast = dry_run(dataset, order, lacking, crew=crew, sample=trying.sample, done=done)
    warned = list(warnings(forecast, order, crew, trying.max_failed))
    assumed = list(assumptions(forecast, crew))
    for part in parts(forecast):
        console.print(part)
    for line, style in [*((line, "yellow") for line in warned), *((line, "dim") for line in assumed)]:
        console.print(Text(f"{'! ' if style == 'yellow' else ''}{line}", style=style))
    write(trying.json, asdict(forecast) | {"warnings": warned, "assumptions": assumed})
    return forecast.batch_size


def muster(pool: Pool) -> Crew:
    """Who would do the job, and who can try it here.

    Raises:
        ValueError: nobody here has the GPU that it asks for.
    """
    cores = os.cpu_count() or 1
    room = pool.room(cores, torch.cuda.device_count() if pool.gpus else 0)
    if not room:
        raise ValueError(
            f"--gpus {pool.gpus:g}: a dry run tries a worker here, and here are {torch.cuda.device_count()} GPUs. "
            "Run it where they are; a Ray job has some with ray job submit --entrypoint-num-gpus 1"
        )
    if in_job() or os.environ.get("RAY_ADDRESS"):
        job.connect()
        return Crew(pool.size(), room, pool.gpus, elsewhere=True)
    return Crew(pool.workers or room, room, pool.gpus)


def write(path: Path | None, said: dict[str, object]) -> None:
    """Put what was found into a JSON file, if one is asked for."""
    if path:
        path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def parts(forecast: Forecast) -> Iterator[Table | Text]:
    """What is shown, from the job down to rows that failed."""
    of = f"{forecast.to_make:,} of " if forecast.to_make < forecast.rows else ""
    lacking = f"{of}{forecast.rows:,} rows to annotate, in {forecast.shards:,} shards"
    yield Text(f"{forecast.dataset}: {lacking}", style="bold")
    once = "one process" if forecast.processes == 1 else f"{forecast.processes} processes at once"
    yield Text(f"{forecast.sampled:,} rows were tried, in {once}; in brackets, 95 % intervals\n")
    yield job_table(forecast)
    yield family_table(forecast.families)
    if any(family.stats for family in forecast.families):
        yield stats_table(forecast.families)
    yield from faults(forecast.families)


def job_table(forecast: Forecast) -> Table:
    """The job as a whole."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    workers = "1 worker" if forecast.workers == 1 else f"{forecast.workers} workers"
    table.add_row("pictures a second", f"{rate(forecast.together)} by {workers}, {rate(forecast.per_worker)} by each")
    table.add_row("time", f"{between(forecast.seconds, duration)}")
    loading = f", {duration(forecast.loading)} of it to load weights" if forecast.loading >= 0.1 else ""
    table.add_row("start of a worker", f"{duration(forecast.startup)}{loading}")
    stages = sorted(forecast.stages.items(), key=lambda item: -item[1])
    table.add_row("where time goes", ", ".join(f"{stage} {share:.0%}" for stage, share in stages if share >= 0.005))
    gpu = f", {in_bytes(forecast.gpu_memory)} of its GPU" if forecast.gpu_memory else ""
    table.add_row("memory of a worker", f"{in_bytes(forecast.memory)}{gpu}")
    free = "an object store" if forecast.free is None else f"{in_bytes(forecast.free)} free"
    table.add_row("disk", f"{between(forecast.bytes, in_bytes)}, {free}")
    return table


def family_table(families: Iterable[FamilyPrediction]) -> Table:
    """A line for each family."""
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title="\nFamilies")
    table.add_column("family", style="bold", no_wrap=True)
    for column in ("rows to make", "bytes a row", "altogether", "empty", "failed"):
        table.add_column(column, justify="right")
    for family in families:
        shares = (between(share, lambda of: f"{of:.1%}") for share in (family.empty, family.failed))
        sizes = between(family.bytes_per_row, lambda size: f"{size:,.0f}"), between(family.bytes, in_bytes)
        table.add_row(family.family, f"{family.rows:,}", *sizes, *shares)
    return table


def stats_table(families: Iterable[FamilyPrediction]) -> Table:
    """What was measured of the sample's conditions."""
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title="\nColumns for where, in the sample")
    table.add_column("family", style="bold", no_wrap=True)
    table.add_column("column")
    for column in ("lowest", "median", "highest"):
        table.add_column(column, justify="right")
    for family in families:
        for stat, numbers in family.stats.items():
            table.add_row(family.family, stat, *(f"{number:.4g}" for number in numbers))
    return table


def faults(families: Iterable[FamilyPrediction]) -> Iterator[Text]:
    """What failed, and what was said of it."""
    for family in families:
        for fault in family.faults:
            tried = sum(family.sampled.values())
            name = ": ".join(filter(None, (fault.code, fault.error)))
            yield Text(f"\n{family.family}: {fault.rows} of {tried} rows failed, {name}", style="red")
            for example in fault.examples:
                said = " ".join(visible(example.message).split())[:LONGEST]
                yield Text(f"  {example.key}  {said}")


def rate(found: Range) -> str:
    """Pictures a second, with their interval."""
    return between(found, lambda number: f"{number:,.0f}" if number >= 99.5 else f"{number:.3g}")


def between(found: Range, shown: Callable[[float], str]) -> str:
    """A prediction with its interval, where that shows."""
    low, likely, high = (shown(number) for number in (found.low, found.likely, found.high))
    return likely if low == likely == high else f"{likely} [{low}, {high}]"
