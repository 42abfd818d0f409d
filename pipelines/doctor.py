"""Annotators → what is wrong with them here: weights that are missing, detectors that don't give what they should."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch
import typer
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from annotate.chain import assemble
from annotate.registry import ANNOTATORS
from annotate.task import known_annotators
from annotate.weights import VARIABLE
from evaluate.doctor.checkup import AT_FAULT, SOUND, Finding, State, examine, fetch
from evaluate.doctor.machine import Check, check_machine
from pipelines.entry import run, terminal

WORDS: dict[State, tuple[str, str]] = {  # and the colour they are in
    "expected": ("runs", "green"),
    "runs": ("runs", "green"),
    "differs": ("DIFFERS", "red"),
    "broken": ("BROKEN", "red"),
    "missing": ("no weights", "yellow"),
    "dataset": ("not here", "yellow"),
}


def main(
    families: Annotated[list[str] | None, Argument(help=f"{known_annotators()}; all where none is named")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="FAMILY.setting=value, as canny.low=50")] = None,
    device: Annotated[
        str, Option(help="auto: a GPU where there is one; else as torch names it, cpu or cuda:1")
    ] = "auto",
    download: Annotated[bool, Option("--download", help="fetch the weights of the families named")] = False,
) -> None:
    """Ask what runs here: python pipelines/doctor.py canny hed

    Seconds for each family; nothing is fetched unless asked for. Ends with 0 if every family named runs, and gives what
    it is known to give; where none is named, if nothing that has its weights is broken.
    """
    annotators = assemble(families or list(ANNOTATORS), set_ or [])
    asked = [word.partition("=")[0] for word in families or ANNOTATORS]
    console = terminal(highlight=False)
    if download and not families:
        raise ValueError("--download: of which families? Name them: python pipelines/doctor.py depth --download")
    trouble = fetch(annotators) if download else []
    console.print(machine_table(check_machine()))
    found = []
    with console.status("trying each family on the golden picture"):
        for family in asked:
            found.append(examine(annotators, family, torch_device(device)))
    console.print(family_table(found))
    for line in [*trouble, *remedies(found)]:
        console.print(Text(line))
    if any(one.state in AT_FAULT or (families and one.state not in SOUND) for one in found):
        raise typer.Exit(1)


def torch_device(words: str) -> torch.device:
    """The device that was asked for.

    Raises:
        ValueError: torch knows none of that name here.
    """
    if words == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(words)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"--device {words}: {str(error).splitlines()[0]}. Say auto, cpu or cuda") from error
    return device


def machine_table(checks: Sequence[Check]) -> Table:
    """The machine, what it lacks in red."""
    table = Table(title="This machine", title_justify="left", box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in checks:
        remedy = Text(f"\n{check.remedy}" if check.remedy else "", style="red")
        table.add_row(Text(check.what), Text(check.found).append_text(remedy))
    return table


def family_table(found: Sequence[Finding]) -> Table:
    """Families, what they did with the golden picture, and where."""
    table = Table(title="\nFamilies", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("family", "", "time", "device", ""):
        table.add_column(
            Text(column), no_wrap=column in ("family", "time"), justify="right" if column == "time" else "left"
        )
    for one in found:
        word, colour = WORDS[one.state]
        took = "" if one.seconds is None else f"{1e3 * one.seconds:,.0f} ms"
        said = Text(one.said)
        if one.stand_in and one.state not in SOUND:
            said.append(f"\nstand-in for the playroom: {one.stand_in}")
        table.add_row(Text(one.family, style="bold"), Text(word, style=colour), took, Text(one.device), said)
    return table


def remedies(found: Sequence[Finding]) -> list[str]:
    """How to have the weights that are missing."""
    needs = list(dict.fromkeys(need for one in found for need in one.needs))
    if not needs:
        return []
    families = " ".join(one.family for one in found if one.needs)
    folder = os.environ.get(VARIABLE)
    return [
        f"\nMissing weights: not in {VARIABLE} ({folder or 'not set'}), not in the Hugging Face cache.",
        *(f"  {need.name}: {need.said}; {need.command}" for need in needs),
        f"Three ways: python pipelines/doctor.py {families} --download; or run the commands above where there is a "
        f"network, and copy its Hugging Face cache here; or put them into a folder, and set {VARIABLE} to it.",
    ]


if __name__ == "__main__":
    run(main)
