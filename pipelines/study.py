"""Train one manifest again and again with some fields varied, evaluate each, and put all side by side in one report."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.table import Table
from typer import Argument, Option

from annotate.place import check_path
from evaluate.page.render import with_interval
from evaluate.refusals import check_scale, check_settings
from evaluate.studies.cost import NOTHING, cost_of
from evaluate.studies.grid import read_grid
from evaluate.studies.lineage import lineage_of
from evaluate.studies.plan import Estimate, estimates, pace_of
from evaluate.studies.report import publish, write_grid_report
from evaluate.studies.ways import Grid, Trained
from evaluate.studies.words import headline, verdicts
from evaluate.studies.work import (
    Failed,
    Judged,
    Share,
    Work,
    at_once,
    carry_out,
    gather_largest,
    on_cluster,
    share_of,
    works_of,
    write_manifests,
)
from manifests.dataset import Dataset
from manifests.manifest import Manifest
from manifests.study import Study, load_study
from manifests.subset import resolve
from pipelines.entry import run as run_command
from pipelines.entry import terminal

ROWS_APART = {"rows", "seed", "base", "control", "train", "engine", "watch"}  # decide not which rows may be drawn
Cores = Annotated[float | None, Option(help="of each training, as a Ray task; by default one after the other", min=0.1)]
Gpus = Annotated[float | None, Option(help="of each training, as 0.5 for two on a GPU, as a Ray task", min=0.0)]


def main(  # noqa: PLR0913, PLR0917  options of a command
    study: Annotated[Path, Argument(help="YAML with name, manifest and axes")],
    out: Annotated[Path | None, Option(help="folder to write; runs/NAME-OF-THE-STUDY by default")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="section.field=value, for every run")] = None,
    plan: Annotated[bool, Option("--plan", help="say what it takes, after a short trial, and train nothing")] = False,
    cores: Cores = None,
    gpus: Gpus = None,
    published: Annotated[Path | None, Option("--publish", help="folder for the report in its compact form")] = None,
) -> None:
    """Run a study: python pipelines/study.py manifests/studies/size_quickstart.yaml

    Three trainings of the quickstart take half an hour on two cores. A run that is finished is not done again, one that
    was interrupted goes on, and one that fails stands in the report and stops no other.
    """
    asked = load_study(study)
    folder = check_path(out or Path("runs") / asked.name, "folder")
    share = share_of(cores, gpus)
    works = expand(asked, folder, set_ or [])
    if plan:
        show_plan(works, folder, share)
        return
    grid = run_study(asked, works, share)
    show(grid)
    if published:
        print(f"published: {publish(grid, published)}")
    print(f"report: {write_grid_report(grid, folder)}")


def expand(study: Study, folder: Path, overrides: Sequence[str]) -> list[Work]:
    """Write the manifests of a study, one for each training; refused before anything is written where one can't be."""
    works = works_of(study, folder, overrides)
    largest = dict[str, Manifest]()  # by all that decides which rows there are, but how many are asked for
    for manifest in sorted((work.manifest for work in works), key=lambda manifest: manifest.rows):
        largest[manifest.model_dump_json(exclude=ROWS_APART)] = manifest
    for manifest in largest.values():
        resolve(manifest)  # too few rows: better said before any is trained
    for one in (one for work in works for one in work.judged):
        check_settings(one.manifest)
        check_scale(one.manifest, Dataset.open(one.manifest.dataset))
    write_manifests(works)
    return works


def run_study(study: Study, works: Sequence[Work], share: Share | None = None, *, actors: int | None = None) -> Grid:
    """Train and evaluate what is not done, then put all side by side.

    Args:
        share: of a cluster, that each training gets; None: one after the other, here.
        actors: that evaluate here, as `evaluate.job.evaluate` takes them.
    """
    failed = dict[str, str]()
    gather_largest(works, print)
    for place, (work, trouble) in enumerate(on_cluster(works, share) if share else _one_by_one(works, actors)):
        print(f"{study.name}: {place + 1} of {len(works)} trainings done or failed, {work.run}", flush=True)
        failed |= trouble
        for name, why in trouble.items():
            print(f"{name} failed: {why}", file=sys.stderr, flush=True)
    judged = [(work, one) for work in works for one in work.judged if one.cell.name not in failed]
    if len(judged) < 2:
        why = "; ".join(dict.fromkeys(failed.values()))
        raise ValueError(f"{study.name}: {len(judged)} of its cells can be compared; {why}")
    judged.sort(key=lambda pair: pair[1].place)
    trained = [_trained(*pair) for pair in judged]
    return read_grid(study.name, trained, failed=failed, varied=study.varied, against=study.against)


def _one_by_one(works: Sequence[Work], actors: int | None) -> Iterator[tuple[Work, Failed]]:
    """Each on the whole machine."""
    for work in works:
        print(f"{work.name}: {work.source}", flush=True)
        yield work, carry_out(work, actors=actors)


def _trained(work: Work, one: Judged) -> Trained:
    """A cell that has its scores, with what it cost: nothing, where no control took part."""
    controlled = one.manifest.evaluate.method == "control"
    cost = cost_of(work.run, batch_size=work.manifest.train.batch_size) if controlled else NOTHING
    return Trained(one.cell, lineage_of(work.name, work.run), one.folder, cost)


def show_plan(works: Sequence[Work], folder: Path, share: Share | None) -> None:
    """Print what each training takes, and the whole study."""
    found = estimates(works, pace_of(works[0], folder, share))
    table = Table("training", "rows", "steps", "train", "evaluate", "MB", "TFLOP", title=f"{len(works)} trainings")
    for work, one in zip(works, found, strict=True):
        manifest = work.manifest
        hours = [f"{seconds / 3600:.2f} h" if seconds else "done" for seconds in (one.training, one.judging)]
        sizes = [f"{one.bytes / 1e6:,.0f}", f"{one.flops / 1e12:,.3g}"]
        table.add_row(work.name, f"{manifest.rows:,}", f"{manifest.train.steps:,}", *hours, *sizes)
    console = terminal()
    console.print(table)
    console.print(_in_all(found, at_once(share) if share else 1))


def _in_all(found: Sequence[Estimate], at_once_: int) -> str:
    hours = sum(one.training + one.judging for one in found) / 3600
    size = sum(one.bytes for one in found) / 1e6
    shared = f", {hours / at_once_:.2f} h with {at_once_} at once" if at_once_ > 1 else ""
    return (
        f"In all {hours:.2f} h of what is missing{shared}, and {size:,.0f} MB. By a trial of the first on this machine."
    )


def show(grid: Grid) -> None:
    """Print the table of a study."""
    table = Table(*grid.axes, "score", "normalised [95% CI]", "minutes", title=grid.name)
    for way in grid.ways:
        scores = [with_interval(way.score), with_interval(way.share)]
        table.add_row(*way.labels.values(), *scores, f"{way.cost.seconds / 60:.1f}")
    console = terminal()
    console.print(table)
    for sentence in (headline(grid), *verdicts(grid)):
        console.print(sentence)


if __name__ == "__main__":
    run_command(main)
