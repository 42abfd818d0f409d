"""Train a ControlNet on the subset that a manifest names.

accelerate launch train/run.py --manifest manifests/quickstart.yaml
accelerate launch train/run.py --manifest manifests/quickstart.yaml --run runs/quickstart --resume --set train.steps=500
"""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import diffusers
import transformers
import typer

from manifests.alone import alone_in
from manifests.manifest import load_manifest
from manifests.storage import check_local
from train.processes import start_the_others
from train.training import Training, finish, prepare

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog="accelerate launch train/run.py --manifest manifests/quickstart.yaml --set train.steps=500")
def main(
    manifest: Annotated[Path, typer.Option(help="YAML that names the subset, the base and the settings.")],
    run: Annotated[Path | None, typer.Option(help="Folder to write. Default: runs/NAME-OF-THE-MANIFEST")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint, if there is one.")
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="section.field=value, any number of times")
    ] = None,
) -> None:
    """Train a ControlNet on the subset that a manifest names."""
    transformers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.disable_progress_bar()
    try:
        start_the_others(Path(__file__), sys.argv[1:])
        check_local(run or manifest, "run")
        settings = load_manifest(manifest, overrides or [])
        folder = run or Path("runs") / manifest.stem
        with alone_in(folder) if _is_first() else nullcontext():
            training = prepare(settings, folder, overrides or [], resume=resume, say=_say)
            closing_line = _finish(training)
    except ValueError as error:  # mostly alike in every process of a machine
        if os.environ.get("LOCAL_RANK", "0") == "0":
            typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if _is_first():
        typer.echo(closing_line)


def _is_first() -> bool:
    """Whether this is the first of several processes; known once they are launched, and never of a fork's parent."""
    return os.environ.get("RANK", "0") == "0"


def _finish(training: Training) -> str:
    """Train to the end; what goes wrong there may do so in one process alone, which says it."""
    try:
        return finish(training)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _say(line: str) -> None:
    """Say something once, however many processes there are."""
    if _is_first():
        typer.echo(line, err=True)


if __name__ == "__main__":
    app()
