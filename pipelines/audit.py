"""Dataset → verdicts: a sample of it made again and compared with what is stored, and whatever else the index shows."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import typer
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from annotate.annotate_worker import pin_threads
from annotate.corpora.text import visible
from annotate.place import check_dataset
from evaluate.audit.again import StandIns
from evaluate.audit.audit import Plan, as_json, audit
from evaluate.audit.checks import CHECKS
from evaluate.audit.page import write_page
from evaluate.audit.verdict import State, Verdict
from manifests.dataset import Dataset
from manifests.storage import locate, replace_text
from pipelines.doctor import torch_device
from pipelines.entry import run, terminal

COLOURS: dict[State, str] = {"pass": "green", "warn": "yellow", "fail": "red", "skipped": "bright_black"}


def main(  # noqa: PLR0913, PLR0917  options of a command
    dataset: Annotated[str, Argument(help="made by pipelines/ingest.py")],
    family: Annotated[list[str] | None, Option(help="look at this family; all where none is named")] = None,
    sample: Annotated[int, Option(help="rows whose conditions are made again", min=1)] = 100,
    seed: Annotated[int, Option(help="of the sample", min=0)] = 0,
    out: Annotated[str, Option(help="audit.html or audit.json to write; both, in DATASET, by default")] = "",
    stand_in: Annotated[
        list[str] | None, Option(help="FAMILY=ANNOTATOR, for one that came with the corpus, as truth_edges=canny")
    ] = None,
    set_: Annotated[list[str] | None, Option("--set", help="of a stand-in: FAMILY.setting=value")] = None,
    skip: Annotated[list[str] | None, Option(help=f"leave out a check: {', '.join(CHECKS)}")] = None,
    device: Annotated[str, Option(help="auto: a GPU where there is one; else as torch names it")] = "auto",
) -> None:
    """Audit a dataset: python pipelines/audit.py /data/photos_pairs --sample 100

    Ends with 1 if a check fails, so that a job can stop there. A hundred rows of Canny take seconds; nothing is
    fetched, and a family whose weights are not here is skipped.
    """
    root = check_dataset(dataset)
    targets = check_out(out) if out else [str(root / "audit.html"), str(root / "audit.json")]
    pin_threads()  # as the workers that made the families
    plan = Plan(tuple(family or ()), sample, seed, StandIns(stand_in or [], set_ or []), tuple(skip or ()))
    console = terminal(160, highlight=False)
    with console.status("reading the index") as status:
        found = audit(Dataset.open(root), plan, torch_device(device), started=status.update)
    console.print(table_of(found.verdicts))
    for verdict in found.verdicts:
        if verdict.state in ("warn", "fail") and verdict.remedy:
            console.print(Text(visible(f"{verdict.check} {verdict.family}".strip() + f": {verdict.remedy}")))
    for target in targets:
        if target.endswith(".json"):
            replace_text(json.dumps(as_json(found), indent=1) + "\n", locate(target))
        else:
            write_page(found, locate(target))
    print(f"made {', '.join(targets)}")
    if found.failed:
        raise typer.Exit(1)


def check_out(out: str) -> list[str]:
    """The file to write.

    Raises:
        ValueError: it is neither a page nor JSON.
    """
    if not out.endswith((".html", ".json")):
        raise ValueError(f"--out {out}: neither a page nor JSON. Name it as audit.html or audit.json")
    return [out]


def table_of(verdicts: Sequence[Verdict]) -> Table:
    """Verdicts that ask for attention one by one, the rest by check."""
    table = Table(title="Audit", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("check", "", "family", "found"):
        table.add_column(name, no_wrap=name in ("check", ""))
    for check, state, families, found in lines(verdicts):
        table.add_row(Text(check, style="bold"), Text(state, style=COLOURS[state]), Text(families), Text(found))
    return table


def lines(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, State, str, str]]:
    """Check, state, families and what was found: one line for families of which the same is said."""
    by_check: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_check[verdict.check].append(verdict)
    for check, of in by_check.items():
        fine = [verdict for verdict in of if verdict.state == "pass" and verdict.family]
        if fine:
            yield (
                check,
                "pass",
                ", ".join(verdict.family for verdict in fine),
                visible(fine[0].found if len(fine) == 1 else ""),
            )
        for verdict in of:
            if verdict not in fine and not (verdict.state == "skipped" and verdict.family):
                yield check, verdict.state, verdict.family, visible(verdict.found)
    left: dict[tuple[str, str], list[str]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.state == "skipped" and verdict.family:
            left[verdict.family, verdict.found].append(verdict.check)
    for (family, found), checks in left.items():
        yield checks[0] if len(checks) == 1 else f"{len(checks)} checks", "skipped", family, visible(found)


if __name__ == "__main__":
    run(main)
