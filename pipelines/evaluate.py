"""Draw a run's test split, annotate the pictures again, and report how well they obey."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.table import Table
from typer import Argument, Option

from annotate.place import check_path
from evaluate.adherence import ADHERENCE
from evaluate.cnpp.look import cnpp_look
from evaluate.cnpp.published import as_settings
from evaluate.job import evaluate
from evaluate.page.render import with_interval
from evaluate.plan import plan_evaluation
from evaluate.progress import bar
from evaluate.report.report import write_report
from evaluate.report.summary import summarise, verdict
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.second_look import look_again
from evaluate.spec import read_spec
from manifests.hub import CARD
from pipelines.entry import run as run_command
from pipelines.entry import terminal
from train.interchange.measured import as_trained, of_evaluation
from train.interchange.model_card import rewrite_adherence
from train.run_folder import manifest_of

Profile = Literal["v1", "cnpp"]


def main(
    run: Annotated[Path, Argument(help="folder of a finished training run")],
    out: Annotated[Path | None, Option(help="folder to write; RUN/evaluation by default")] = None,
    profile: Annotated[Profile, Option(help="cnpp: drawn and scored as ControlNet++ does")] = "v1",
    set_: Annotated[list[str] | None, Option("--set", help="evaluate.field=value, as evaluate.guidance=7")] = None,
    actors: Annotated[
        int | None, Option(help="processes; 0: none but this one; by default one per GPU, else one per core")
    ] = None,
) -> None:
    """Evaluate a run: python pipelines/evaluate.py runs/quickstart

    A hundred samples of the tiny base take two minutes on two cores. Started again, it draws only what is missing.
    """
    run = check_path(run, "run")
    folder = check_path(out, "folder") if out else run / ("evaluation" if profile == "v1" else f"evaluation-{profile}")
    if profile == "v1":
        evaluate_run(run, folder, set_ or [], actors=actors)
        return
    words = [*as_settings(), *(set_ or [])]
    plan_evaluation(run, folder, manifest_of(run, words))
    look = cnpp_look(read_spec(folder))  # what it lacks is better said before anything is drawn
    assert look.identity
    evaluate_run(run, folder, words, actors=actors)
    with bar(profile, unit="files") as progress:
        look_again(look, folder, progress=progress, actors=actors)
    print(f"report: {write_report(folder)}")


def evaluate_run(
    run: Path, folder: Path, overrides: Sequence[str], *, actors: int | None = None, among: Iterable[Path] = ()
) -> None:
    """Evaluate a run, print its table and say where the report is.

    Args:
        overrides: "evaluate.field=value".
        actors: as `evaluate.job.evaluate` takes them.
        among: evaluations that may have drawn the same without control.
    """
    manifest_of(run)  # refuses a folder without a run
    for text in overrides:
        if not text.startswith("evaluate."):
            raise ValueError(f"--set {text}: training is over; only evaluate.* may change now. Leave it out")
    task = plan_evaluation(run, folder, manifest_of(run, overrides), among=among)
    with bar("evaluate") as progress:
        report = evaluate(task, progress=progress, actors=actors)
    said = json.loads((folder / "report.json").read_text())
    here = folder.resolve() == (run / "evaluation").resolve() and (run / "controlnet" / CARD).is_file()
    if here and as_trained(said):
        rewrite_adherence(run / "controlnet", of_evaluation(said))
    show(folder)
    print(f"report: {report}")


def show(folder: Path) -> None:
    """Print the table of an evaluation."""
    spec = read_spec(folder)
    summary = summarise(read_scores(folder / SCORES_FILE), ADHERENCE[spec.protocol.annotator])
    title = f"{spec.run}: {summary.samples} samples"
    table = Table("measure", *summary.primary.arms, "normalised [95% CI]", title=title)
    for line in summary.lines:
        name = f"{line.measure.name} (primary)" if line.measure.primary else line.measure.name
        table.add_row(name, *(f"{value.value:.3f}" for value in line.arms.values()), with_interval(line.normalised))
    console = terminal()
    console.print(table)
    console.print(verdict(summary, condition=spec.protocol.condition, method=spec.protocol.method))


if __name__ == "__main__":
    run_command(main)
