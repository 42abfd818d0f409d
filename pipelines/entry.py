"""How every entry point runs: what a user got wrong is one message and an exit code, not a traceback."""

import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from annotate.corpora.text import visible


def run(main: Callable[..., Any]) -> None:
    """Run a recipe as a command."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(main)
    run_app(app)


def terminal(width: int = 120, **options: Any) -> Console:
    """A terminal, as wide as it is; `width` characters where the output goes into a file. `options`: of rich's."""
    return Console(width=None if sys.stdout.isatty() else width, **options)


def run_app(app: typer.Typer) -> None:
    """Run a recipe of several commands."""
    try:
        app()
    except ValueError as error:
        sys.exit(f"error: {visible(str(error))}")
    except OSError as error:  # no space, no permission, no such folder: the message names the file
        sys.exit(f"error: {visible(str(error))}. Nothing half-written was left; mend that, and start again")
