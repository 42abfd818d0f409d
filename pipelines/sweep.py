"""Evaluate one run again and again with one setting varied: curves, not points."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.place import check_path
from evaluate.progress import bar
from evaluate.second_look import look_again
from evaluate.spec import read_spec
from evaluate.sweep.report import in_words, write_sweep_report
from evaluate.sweep.sweep import check_field, read_sweep
from pipelines.entry import run as run_command
from pipelines.evaluate import evaluate_run
from pipelines.look import WORDS, as_look


def main(
    run: Annotated[Path, Argument(help="folder of a finished training run")],
    field: Annotated[str, Argument(help="of the evaluate section, as control_scale, guidance, prompts or guess")],
    values: Annotated[list[str], Argument(help="of the field, as 0 0.5 1 1.5")],
    out: Annotated[Path | None, Option(help="folder to write; RUN/sweep-FIELD by default")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="evaluate.field=value, at every setting")] = None,
    look: Annotated[list[str] | None, Option(help=f"look again at the pictures: {WORDS}")] = None,
) -> None:
    """Sweep a setting: python pipelines/sweep.py runs/canny control_scale 0 0.5 1 1.5 --look quality

    It costs an evaluation a value. A setting that was evaluated is not evaluated again; what the base draws alone is
    drawn once, where the setting is the control's.
    """
    check_field(field)
    run = check_path(run, "run")
    folder = check_path(out, "folder") if out else run / f"sweep-{field}"
    folders = list[Path]()
    for value in values:
        here = folder / f"{field}-{value.replace('/', '_') or 'none'}"
        print(f"{field} = {value}", flush=True)
        evaluate_run(run, here, [*(set_ or []), f"evaluate.{field}={value}"], among=folders)
        for word in look or []:
            with bar(word, unit="files") as progress:
                look_again(as_look(word, read_spec(here), []), here, progress=progress)
        folders.append(here)
    sweep = read_sweep(field, folders)
    print(in_words(sweep))
    print(f"report: {write_sweep_report(sweep, folder)}")


if __name__ == "__main__":
    run_command(main)
