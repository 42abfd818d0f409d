"""Look again at what an evaluation drew: by another annotator, as ControlNet++ scores it, for its quality."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.chain import assemble, path_to
from annotate.place import check_path
from evaluate.cnpp.look import NAME as CNPP
from evaluate.cnpp.look import cnpp_look
from evaluate.progress import bar
from evaluate.quality.look import NAME as QUALITY
from evaluate.quality.look import Networks, find_quality
from evaluate.report.report import write_report
from evaluate.second_annotator import second_annotator
from evaluate.second_look import Look, look_again
from evaluate.spec import Spec, read_spec
from pipelines.compare import evaluation_of
from pipelines.entry import run as run_command

WORDS = f"{CNPP}, {QUALITY}, or an annotator: NAME or FAMILY=NAME"


def main(
    run: Annotated[Path, Argument(help="folder of an evaluated run, or of an evaluation")],
    looks: Annotated[list[str], Argument(help=WORDS)],
    set_: Annotated[list[str] | None, Option("--set", help="FAMILY.setting=value of an annotator")] = None,
    actors: Annotated[
        int | None, Option(help="processes; 0: none but this one; by default one per GPU, else one per core")
    ] = None,
) -> None:
    """Look again, without drawing again: python pipelines/look.py runs/canny softedge cnpp quality

    What is found stands in the same report. Started again, it looks only at what is missing.
    """
    folder = evaluation_of(check_path(run, "run"))
    assemble([word for word in looks if word not in (CNPP, QUALITY)], set_ or [])  # refuses settings of nobody
    spec = read_spec(folder)
    for word in looks:
        with bar(word, unit="files") as progress:
            look_again(as_look(word, spec, set_ or []), folder, progress=progress, actors=actors)
    print(f"report: {write_report(folder)}")


def as_look(word: str, spec: Spec, settings: list[str]) -> Look:
    """What a word means.

    Args:
        spec: of the evaluation.
        settings: of annotators.
    """
    if word == CNPP:
        return cnpp_look(spec)
    if word == QUALITY:
        return find_quality(Networks())
    family = word.partition("=")[0]
    if family == spec.protocol.condition:
        raise ValueError(
            f"look: '{family}' is what was asked for, and has its numbers. Name the look otherwise, as "
            f"{family}_again={family}"
        )
    own = path_to(assemble([word]), family)
    return second_annotator(word, [each for each in settings if each.partition(".")[0] in own])


if __name__ == "__main__":
    run_command(main)
