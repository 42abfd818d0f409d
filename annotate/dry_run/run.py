"""A dry run: the annotators asked for over a sample, by the code of a worker, and a forecast of the whole job.

Nothing is written into the dataset: the sample is cut out into a dataset of its own (`excerpt.py`), and processes go
over that as workers would (`trial.py`), as many at once as workers fit on this machine, for they share its memory and
its caches. Where a job's workers are on other machines, those are taken to be like this one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from annotate.again import failed_shards, outdated_shards
from annotate.annotate_worker import AnnotateOrder
from annotate.dry_run.crew import Crew
from annotate.dry_run.excerpt import Run, sample_runs, write_excerpt
from annotate.dry_run.outcome import Share
from annotate.dry_run.reckoning import Forecast, Trial, reckon
from annotate.dry_run.trials import scratch, try_shares
from annotate.task import Task
from manifests.dataset import Dataset
from manifests.layout import IMAGES, shard_name
from manifests.parallel import in_parallel
from manifests.storage import read_metadata

SECONDS = 5.0  # each process goes over its share for so long: a few rows more or less are noise


def outstanding(
    dataset: Dataset, tasks: Sequence[Task], names: Sequence[str], *, refresh: bool, retry: str | None
) -> dict[str, tuple[str, ...]]:
    """The shards that a job would make, each with the families that it would make of it.

    Args:
        refresh: those that are outdated too.
        retry: those too that hold a row that failed with this code, "" for any; None for none.
    """
    lacking: dict[str, list[str]] = {}
    for task in tasks:
        again = set(dataset.missing(task.family, names))
        if refresh:
            again |= {*outdated_shards(dataset, task)}
        if retry is not None:
            again |= {*failed_shards(dataset, task.family, retry)}
        for name in again.intersection(names):
            lacking.setdefault(name, []).append(task.family)
    return {name: tuple(lacking[name]) for name in sorted(lacking)}


def dry_run(
    dataset: Dataset,
    order: AnnotateOrder,
    lacking: Mapping[str, tuple[str, ...]],
    *,
    crew: Crew,
    sample: int,
    done: Callable[[int], None],
) -> Forecast:
    """Try a sample of what is lacking, and say what all of it would take.

    Every family that lacks a shard is made of every row of the sample; what a job makes of fewer families at a time is
    reckoned from the time that each took.

    Args:
        lacking: `outstanding`, not empty.
        done: told how many rows of the sample are through.
    """
    wanted = {family for families in lacking.values() for family in families}
    order = replace(order, tasks=tuple(task for task in order.tasks if task.family in wanted))
    counted = in_parallel(lambda name: read_metadata(dataset.path(IMAGES, name)).num_rows, lacking)
    rows = {name: count for name, count in zip(lacking, counted, strict=True) if count}
    runs = sample_runs(dataset, order.tasks, rows, sample=sample, size=order.batch_size)
    with scratch() as folder:
        excerpt = write_excerpt(dataset, Path(folder) / "excerpt", order.tasks, deal(runs, crew.here))
        shares = _shares(excerpt, order, deal(runs, crew.here), crew)
        outcomes, startup = try_shares(shares, done)
        trial = Trial(dataset, excerpt, shares[: len(runs)], outcomes[: len(runs)], startup)
        return reckon(trial, order, {name: lacking[name] for name in rows}, rows, crew)


def deal(runs: Sequence[Run], processes: int) -> list[list[Run]]:
    """Runs for each of so many processes; where there are fewer runs, several processes try the same one."""
    return [list(runs[number::processes]) or [runs[number % len(runs)]] for number in range(processes)]


def _shares(excerpt: Dataset, order: AnnotateOrder, dealt: Sequence[Sequence[Run]], crew: Crew) -> list[Share]:
    """What each process is to do, on the device that a worker would have."""
    root = Path(str(excerpt.root))
    return [
        Share(
            replace(order, root=str(root), device=crew.device(order.device, number)),
            name=shard_name(0, number),
            runs=tuple(len(run.rows) for run in runs),
            seconds=SECONDS,
            folder=root.parent,
        )
        for number, runs in enumerate(dealt)
    ]
