"""Train one manifest again and again with some fields varied, evaluate each, and put all side by side in one report."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.console import Console
from rich.table import Table
from typer import Argument, Option

from annotate.job import check_path
from evaluate.cost import cost_of
from evaluate.grid import Grid, Trained, read_grid, verdicts
from evaluate.grid_report import headline, write_grid_report
from evaluate.job import evaluate
from evaluate.plan import plan_evaluation
from evaluate.progress import bar
from evaluate.render import with_interval
from manifests.manifest import Manifest, load_manifest
from manifests.study import Cell, Study, cells, load_study
from manifests.subset import resolve
from pipelines.entry import run as run_command
from train.launch import ensure_trained


def main(
    study: Annotated[Path, Argument(help="YAML with name, manifest and axes")],
    out: Annotated[Path | None, Option(help="folder to write; runs/NAME-OF-THE-STUDY by default")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="section.field=value, for every run")] = None,
) -> None:
    """Run a study: python pipelines/study.py manifests/studies/size_quickstart.yaml

    Three trainings of the quickstart take about 20 minutes on two cores. A run that is finished is not done again, one
    that was interrupted goes on, and one that fails stands in the report and stops no other.
    """
    asked = load_study(study)
    print(f"report: {run_study(asked, check_path(out or Path('runs') / asked.name, 'folder'), set_ or [])}")


def run_study(study: Study, folder: Path, overrides: Sequence[str]) -> Path:
    """Train and evaluate each cell that is not done, then put all side by side; returns the report's path."""
    base = load_manifest(study.manifest, [*study.overrides, *overrides])
    grid = cells(study, seed=base.seed, train_seed=base.train.seed)
    words = [[*cell.overrides, *overrides] for cell in grid]
    manifests = [load_manifest(study.manifest, given) for given in words]
    resolve(max(manifests, key=lambda manifest: manifest.rows))  # too few rows: better said before any is trained
    trained, failed = list[Trained](), dict[str, str]()
    for place, (cell, given, manifest) in enumerate(zip(grid, words, manifests, strict=True)):
        run = folder / cell.name
        print(f"{study.name} {place + 1}/{len(grid)}: {cell.name}, {run}", flush=True)
        try:
            ensure_trained(study.manifest, run, given)
            trained.append(_evaluated(cell, manifest, run))
        except ValueError as error:
            failed[cell.name] = str(error)
            print(f"{cell.name} failed: {error}", file=sys.stderr, flush=True)
    if len(trained) < 2:
        why = "; ".join(failed.values())
        raise ValueError(f"{study.name}: {len(trained)} of {len(grid)} trainings can be compared; {why}")
    found = read_grid(study.name, trained, failed=failed)
    show(found)
    return write_grid_report(found, folder)


def _evaluated(cell: Cell, manifest: Manifest, run: Path) -> Trained:
    """Evaluate a finished training, as far as that is not done."""
    task = plan_evaluation(run, run / "evaluation", manifest)
    with bar(f"evaluate {cell.name}") as progress:
        evaluate(task, progress=progress)
    return Trained(cell, run / "evaluation", cost_of(run, batch_size=manifest.train.batch_size))


def show(grid: Grid) -> None:
    """Print the table of a study."""
    table = Table(*grid.axes, grid.measure.name, "normalised [95% CI]", "beside the first", "minutes", title=grid.name)
    for way in grid.ways:
        beside = with_interval(way.beside, sign="+") if way.beside else ""
        scores = [with_interval(way.score), with_interval(way.share), beside]
        table.add_row(*way.labels.values(), *scores, f"{way.cost.seconds / 60:.1f}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for sentence in (headline(grid), *verdicts(grid)):
        console.print(sentence)


if __name__ == "__main__":
    run_command(main)
