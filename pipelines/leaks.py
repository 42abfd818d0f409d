"""Run → whether it was tested on what it was trained on, and whether it draws copies of that."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.place import check_path
from evaluate.leaks.audit import Settings, audit
from evaluate.leaks.likeness import MODEL
from evaluate.leaks.report import write_audit
from evaluate.leaks.words import sentences, verdict
from evaluate.progress import bar
from pipelines.entry import run as run_command


def main(
    run: Annotated[Path, Argument(help="folder of a finished training run")],
    evaluation: Annotated[Path | None, Option(help="of its test rows; RUN/evaluation by default")] = None,
    seen: Annotated[Path | None, Option(help="an evaluation of rows that it was trained on, for the gap")] = None,
    clip: Annotated[str, Option(help='CLIP that compares pictures too; "" for none')] = MODEL,
    pictures: Annotated[int, Option(help="pictures read to be hashed, at most: those that are no squares")] = 200_000,
) -> None:
    """Audit a run: python pipelines/leaks.py runs/quickstart

    The index alone tells a thousand test samples from three million rows trained on within a minute. Pictures that are
    no squares are read to be hashed, some hundreds in a second of a core. Writes leaks/ into the evaluation's folder.
    """
    run = check_path(run, "run")
    folder = check_path(evaluation, "evaluation") if evaluation else run / "evaluation"
    settings = Settings(pictures=pictures, clip=clip)
    found, trained = audit(run, folder, check_path(seen, "evaluation") if seen else None, settings, bar=bar)
    report = write_audit(found, trained, folder / "leaks")
    for sentence in (verdict(found), *sentences(found)):
        print(sentence)
    print(f"report: {report}")


if __name__ == "__main__":
    run_command(main)
