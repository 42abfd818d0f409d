"""Draw a run's test split, annotate the pictures again, and report how well they obey.

python pipelines/evaluate.py runs/quickstart
python pipelines/evaluate.py runs/quickstart --set evaluate.guidance=7 --out runs/quickstart/guidance_7
"""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import typer
from rich.console import Console
from rich.table import Table

from evaluate.adherence import ADHERENCE
from evaluate.job import evaluate
from evaluate.plan import plan_evaluation
from evaluate.progress import bar
from evaluate.render import with_interval
from evaluate.report import SCORES_FILE
from evaluate.scores import read_scores
from evaluate.spec import read_spec
from evaluate.summary import summarise, verdict
from manifests.manifest import load_manifest

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog="python pipelines/evaluate.py runs/quickstart --set evaluate.samples=200")
def main(
    run: Annotated[Path, typer.Argument(help="Folder of a finished training run.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write. Default: RUN/evaluation")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="evaluate.field=value, any number of times")
    ] = None,
    actors: Annotated[
        int | None, typer.Option(help="How many share the work. Default: one per GPU, else per CPU")
    ] = None,
) -> None:
    """Draw a run's test split, annotate the pictures again, and report how well they obey."""
    try:
        evaluate_run(run, out or run / "evaluation", overrides or [], actors=actors)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def evaluate_run(run: Path, folder: Path, overrides: list[str], *, actors: int | None = None) -> Path:
    """Evaluate a run and print its table; returns the report's path."""
    refused = [text for text in overrides if not text.startswith("evaluate.")]
    if refused:
        raise ValueError(f"--set {refused[0]}: training is over, only evaluate.* may change now. Leave it out")
    if not (run / "manifest.yaml").is_file():
        raise ValueError(f"{run}: no run is here (it has no manifest.yaml). Give the folder of a run")
    task = plan_evaluation(run, folder, load_manifest(run / "manifest.yaml", overrides))
    with bar("evaluate") as progress:
        report = evaluate(task, progress=progress, actors=actors)
    show(folder)
    print(f"report: {report}")
    return report


def show(folder: Path) -> None:
    """Print the table of an evaluation."""
    spec = read_spec(folder)
    summary = summarise(read_scores(folder / SCORES_FILE), ADHERENCE[spec.protocol.annotator], asked=spec.asked)
    table = Table(
        "measure", *summary.primary.arms, "normalised [95% CI]", title=f"{spec.run}: {summary.samples} samples"
    )
    for line in summary.lines:
        name = f"{line.measure.name} (primary)" if line.measure.primary else line.measure.name
        table.add_row(name, *(f"{value.value:.3f}" for value in line.arms.values()), with_interval(line.normalised))
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(verdict(summary, condition=spec.protocol.condition))


if __name__ == "__main__":
    app()
