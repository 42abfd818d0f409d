"""Pictures → conditions: every family asked for, in one pass over the shards that lack it."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate import job
from annotate.again import end_retry, outdated_shards, parse_retry, retry_failed, withdraw
from annotate.annotate_worker import AnnotateOrder, AnnotateWorker
from annotate.attempts import Attempts, sweep
from annotate.limit import Limit, parse_share
from annotate.place import check_dataset, in_job
from annotate.pool import AUTO, Pool, parse_workers
from annotate.recipe import Recipe, known_recipes, load_recipe
from annotate.room import check_annotate_room
from annotate.shard import count, missing
from annotate.task import Task, known_annotators, make_tasks, parse_profile
from evaluate.page.strip import show_examples
from manifests.catalogue import catalogue
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.hub import write_dataset_card
from manifests.index import forget_index
from manifests.layout import IMAGES
from pipelines.entry import run
from pipelines.outlook import Trying, foresee

THREADS_OF_A_GPU = 2

Place = Annotated[str, Argument(help="made by pipelines/ingest.py")]
Words = Annotated[list[str] | None, Argument(help=f"ANNOTATOR, or NAME=ANNOTATOR; there are {known_annotators()}")]
Resolution = Annotated[int, Option(help="short side of the conditions in pixels; 0: as the picture", min=0)]
ProfileName = Annotated[str, Option(help="exact: aspect ratio kept; aux: sides rounded as controlnet_aux")]
Workers = Annotated[str, Option(help="processes, or auto: as many as the cluster has room for")]
Gpus = Annotated[float, Option(help="GPUs for each worker, as 0.25; 0: annotate on the CPU", min=0)]
BatchSize = Annotated[int, Option(help="pictures annotated at once; part of the bytes' promise", min=1)]
Retry = Annotated[str, Option(help="failed, or failed:CODE: make the shards again that hold such rows")]
Refresh = Annotated[bool, Option("--refresh", help="make again what other settings or packages have made")]
MaxFailed = Annotated[str, Option(help="share of rows, as 0.1%; the job ends once more have failed")]
Overrides = Annotated[list[str] | None, Option("--set", help="FAMILY.setting=value, as canny.low=50")]
Recipes = Annotated[list[str] | None, Option(help=f"a file, or one of annotate/recipes/: {', '.join(known_recipes())}")]
DryRun = Annotated[bool, Option("--dry-run", help="write nothing; try a sample, and say how long, how big, what fails")]
Sample = Annotated[int, Option(help="rows that a dry run tries", min=1)]
Json = Annotated[Path | None, Option(help="file for what a dry run predicts")]


def main(  # noqa: PLR0913, PLR0917  options of a command
    dataset: Place,
    families: Words = None,
    resolution: Resolution = 512,
    profile: ProfileName = "exact",
    workers: Workers = AUTO,
    gpus: Gpus = 0.0,
    batch_size: BatchSize = 8,
    retry: Retry = "",
    refresh: Refresh = False,
    max_failed: MaxFailed = "100%",
    set_: Overrides = None,
    recipe: Recipes = None,
    dry_run: DryRun = False,
    sample: Sample = 256,
    json: Json = None,
) -> None:
    """Annotate a dataset: python pipelines/annotate.py /data/photos_pairs canny hed scribble --workers 8

    Two cores make about 200 Canny maps of 512 pixels a second; docs/benchmarks.md has the other annotators, --dry-run
    what it is here. Also on a cluster: ray job submit --working-dir . -- python pipelines/annotate.py … Killed and
    started again, it makes only what is missing.
    """
    asked = dict(locals())
    root, pool = check_dataset(dataset), Pool(parse_workers(workers), gpus)
    opened = Dataset.open(root)
    recipes = [load_recipe(name) for name in recipe or []]
    words, settings = ask(families or [], recipes, set_ or [])
    tasks = make_tasks(opened, words, settings=settings, resolution=resolution, profile=parse_profile(profile))
    check_ingested(opened)
    order = order_of(opened, tasks, on_gpu=bool(gpus), batch_size=batch_size)
    share = parse_share(max_failed)
    if dry_run:
        fits = foresee(opened, order, pool, Trying(sample, refresh, retry, share, json))
        print(f"start it: {as_command(asked | {'batch_size': fits})}")
        return
    produce(opened, order, pool, refresh=refresh, retry=retry, max_failed=share)
    for known in recipes:
        if known.where:
            print(f"for a manifest of {known.family}: where: {known.where}")


def order_of(dataset: Dataset, tasks: Sequence[Task], *, on_gpu: bool, batch_size: int) -> AnnotateOrder:
    """What each worker is told."""
    attempts = Attempts("annotate", tuple(task.family for task in tasks))
    device, threads = ("cuda", THREADS_OF_A_GPU) if on_gpu else ("cpu", 0)
    return AnnotateOrder(str(dataset.root), dataset.settings.id, tuple(tasks), attempts, device, batch_size, threads)


def as_command(asked: Mapping[str, Any]) -> str:
    """The command with these parameters of `main`; what is at its default, or only for a dry run, is left out."""
    words = ["python", "pipelines/annotate.py", str(asked["dataset"]), *(asked["families"] or [])]
    for name, parameter in signature(main).parameters.items():
        if name in ("dataset", "families", "dry_run", "sample", "json") or asked[name] == parameter.default:
            continue
        option = f"--{name.strip('_').replace('_', '-')}"
        for value in asked[name] if isinstance(asked[name], list) else [asked[name]]:
            words += [option] if value is True else [option, str(value)]
    return f"{'ray job submit --working-dir . -- ' if in_job() else ''}{shlex.join(words)}"


def ask(families: Sequence[str], recipes: Sequence[Recipe], set_: Sequence[str]) -> tuple[list[str], list[str]]:
    """Families and settings of a job: the user's, and those of recipes, whose settings the user's override."""
    if not families and not recipes:
        raise ValueError("no family is named. Name annotators, as in annotate.py DATASET canny hed, or a --recipe")
    words = [*families, *(recipe.words for recipe in recipes)]
    return words, [*(setting for recipe in recipes for setting in recipe.overrides), *set_]


def check_ingested(dataset: Dataset) -> None:
    """Make sure that there is something to annotate, and all of it.

    Raises:
        ValueError: there isn't.
    """
    root = dataset.root
    if dataset.missing(IMAGES) or not dataset.rows(IMAGES):
        raise ValueError(
            f"{root}: its ingest isn't finished, or kept nothing. Finish it: python pipelines/ingest.py CORPUS {root}"
        )


def produce(
    dataset: Dataset, order: AnnotateOrder, pool: Pool, *, refresh: bool, retry: str, max_failed: float
) -> None:
    """Make what is missing, and what is to be made again."""
    tasks = order.tasks
    check_annotate_room(dataset, tasks)
    names = dataset.shards()  # other jobs may append meanwhile
    if retry or refresh:
        job.connect(pool.workers)
        pool.size()  # nothing is withdrawn for a job that can't run
    begin(dataset, tasks, retry=retry, refresh=refresh)
    limit = Limit(max_failed, dataset.rows(IMAGES, names))
    if missing(dataset, tasks, names):
        make(dataset, order, pool, names=names, limit=limit)
    for task in tasks:
        end_retry(dataset, task.family)
    show_examples(dataset)
    catalogue(dataset)
    settle(dataset, tasks, names=names, limit=limit)
    print(f"made {', '.join(str(dataset.root / task.family) for task in tasks)}")


def begin(dataset: Dataset, tasks: Sequence[Task], *, retry: str, refresh: bool) -> None:
    """Put the families' cards into place, and withdraw what is to be made again."""
    code = parse_retry(retry) if retry else ""
    for task in tasks:
        if refresh:  # first of all: nobody draws from a family whose card says one thing and whose shards another
            forget_index(dataset, task.family)
        create_card(dataset.root, task.card, refresh=refresh)
        if refresh:
            outdated = outdated_shards(dataset, task)
            print(f"{task.family}: {len(outdated)} of {len(dataset.shards(task.family))} shards are made again")
            withdraw(dataset, task.family, outdated)
        if retry:
            retry_failed(dataset, task.family, code)
    if refresh or retry:
        write_dataset_card(dataset)  # `datasets` would serve from its cache what was there before


def make(dataset: Dataset, order: AnnotateOrder, pool: Pool, *, names: Sequence[str], limit: Limit) -> None:
    """Let workers make those of these shards that are missing."""
    job.connect(pool.workers)
    sweep(dataset)

    def check(name: str) -> None:
        for task in order.tasks:
            limit.check(dataset, task.family, name)

    for name in names if limit.share < 1 else ():  # what failed before this start counts too
        check(name)
    rows = dataset.rows(IMAGES, missing(dataset, order.tasks, names))
    goal = job.Goal("annotate", rows, lambda: missing(dataset, order.tasks, names), check)
    job.run_shards(AnnotateWorker, {"order": order}, goal, pool)


def settle(dataset: Dataset, tasks: Sequence[Task], *, names: Sequence[str], limit: Limit) -> None:
    """Print each family's balance over these shards, and fail if it is none, or if more have failed than may."""
    rows = limit.rows
    for task in tasks:
        by = count(dataset, task.family, names)
        print(f"{task.family}: {rows} rows in = {by['ok']} ok + {by['empty']} empty + {by['failed']} failed")
        if by.total() != rows:
            raise ValueError(f"{dataset.root}: {task.family} has {by.total()} rows, images/ has {rows}. --refresh it")
        limit.settle(task.family, by["failed"])


if __name__ == "__main__":
    run(main)
