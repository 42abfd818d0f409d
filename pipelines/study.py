"""Train one manifest at several nested sizes, evaluate each, and put them side by side in one report."""

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
from evaluate.job import evaluate
from evaluate.plan import plan_evaluation
from evaluate.progress import bar
from evaluate.render import count, number, with_interval
from evaluate.study import Comparison, compare, headline
from evaluate.study_report import write_study_report
from manifests.manifest import load_manifest
from manifests.study import Study, load_study
from manifests.subset import resolve
from pipelines.entry import run as run_command
from train.launch import ensure_trained


def main(
    study: Annotated[Path, Argument(help="YAML with name, manifest and rows")],
    out: Annotated[Path | None, Option(help="folder to write; runs/NAME-OF-THE-STUDY by default")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="section.field=value, for every run")] = None,
) -> None:
    """Compare dataset sizes: python pipelines/study.py manifests/studies/size_quickstart.yaml

    Three trainings of the quickstart take about 20 minutes on two cores. A run that is finished is not done again, one
    that was interrupted goes on.
    """
    asked = load_study(study)
    print(f"report: {run_study(asked, check_path(out or Path('runs') / asked.name, 'folder'), set_ or [])}")


def run_study(study: Study, folder: Path, overrides: Sequence[str]) -> Path:
    """Train and evaluate each size that is not done, then compare them all; returns the report's path."""
    words = {rows: [*study.overrides, *overrides, f"rows={rows}"] for rows in study.sizes}
    manifests = {rows: load_manifest(study.manifest, given) for rows, given in words.items()}
    resolve(manifests[max(manifests)])  # too few rows for the largest: better said before the smallest is trained
    evaluations = []
    for place, (rows, manifest) in enumerate(manifests.items()):
        run = folder / f"rows-{rows:06d}"
        print(f"{study.name} {place + 1}/{len(manifests)}: {count(rows)} rows, {run}", flush=True)
        ensure_trained(study.manifest, run, words[rows])
        task = plan_evaluation(run, run / "evaluation", manifest)
        with bar(f"evaluate {count(rows)} rows") as progress:
            evaluate(task, progress=progress)
        evaluations.append(run / "evaluation")
    comparison = compare(study.name, evaluations)
    show(comparison)
    return write_study_report(comparison, folder)


def show(comparison: Comparison) -> None:
    """Print the table of a study."""
    name = comparison.measure.name
    table = Table("rows", "floor", name, "ceiling", "normalised [95% CI]", "gain", title=comparison.name)
    for size in comparison.sizes:
        gain = with_interval(size.gain, sign="+") if size.gain else ""
        anchors = number(comparison.floor), with_interval(size.score), number(comparison.ceiling)
        table.add_row(count(size.spec.rows), *anchors, with_interval(size.normalised), gain)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(headline(comparison))


if __name__ == "__main__":
    run_command(main)
