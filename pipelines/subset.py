"""Manifest → training set: draw the subset, say why other rows are not in it, and gather its rows for training."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import pyarrow as pa
import ray
from rich.table import Table
from rich.text import Text
from typer import Argument, Option
from upath import UPath

from annotate.job import connect
from annotate.place import check_path
from evaluate.page.render import short
from evaluate.subset_look.compare import ALL, DRAWN, POPULATIONS, Look, compare
from evaluate.subset_look.overlay import sparkline
from evaluate.subset_look.page import write_look
from evaluate.subset_look.words import in_words
from manifests.account import Account
from manifests.dataset import Dataset
from manifests.manifest import Manifest, load_manifest
from manifests.storage import locate
from manifests.subset import Subset, resolve
from manifests.training_set.gather import Families, gather_in_turn, gather_shard
from manifests.training_set.training_set import ensure_training_set
from pipelines.entry import run as run_command
from pipelines.entry import terminal

SAID = 8  # differences put into words


def main(
    manifest: Annotated[Path, Argument(help="YAML, as manifests/canny_10k.yaml")],
    set_: Annotated[list[str] | None, Option("--set", help="field=value, as rows=500 or section.field=value")] = None,
    workers: Annotated[int, Option(help="processes; more than one read shards on Ray", min=1)] = 1,
    look: Annotated[bool, Option("--look", help="build nothing: compare the subset with the whole, on a page")] = False,
    out: Annotated[str, Option(help="of --look: HTML file; DATASET/look-NAME-OF-THE-MANIFEST.html by default")] = "",
) -> None:
    """Build a training set: python pipelines/subset.py manifests/canny_10k.yaml --set dataset=/data/photos_pairs

    Training does it when it is not there yet. A subset with fewer rows of the same draw is a prefix, and built already.
    Before that, look: python pipelines/subset.py manifests/canny_10k.yaml --look
    """
    if out and not look:
        raise ValueError(f"--out {out}: a page is made with --look only; training sets have their place. Add --look")
    asked = load_manifest(check_path(manifest, "manifest"), set_ or [])
    subset = resolve(asked)
    print(f"{asked.rows} of {subset.found} rows of the train split that have {asked.condition} and fulfil `where`")
    print(f"fingerprint {subset.fingerprint}")
    terminal(140, highlight=False).print(account_table(subset.account))
    if look:
        page = locate(out) if out else subset.dataset.root / f"look-{manifest.stem}.html"
        print(f"made {show(subset, asked, page, name=manifest.stem)}")
        return
    gather = partial(gather_on_ray, workers=workers) if workers > 1 else gather_in_turn
    print(f"made {ensure_training_set(subset, asked, gather, print)}")


def show(subset: Subset, manifest: Manifest, page: Path | UPath, *, name: str) -> Path | UPath:
    """Print how the subset differs from the whole, and write the page that shows it."""
    found, console = compare(subset.dataset, manifest), terminal(140, highlight=False)
    console.print(look_table(found))
    if found.constant:
        console.print(Text(f"  all rows are alike in {', '.join(found.constant)}", "dim"))
    for difference in [difference for difference in found.differences if difference.differs][:SAID]:
        console.print(Text(f"  {in_words(difference)}"))
    return write_look(found, subset, manifest, page, name=name)


def account_table(account: Account) -> Table:
    """Rows of the dataset, less those kept out by each reason, are the rows drawn."""
    table = Table(title="\nRows", title_justify="left", box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_row(f"{account.rows:,}", "in the dataset")
    for out in account.kept_out:
        table.add_row(f"-{out.rows:,}", Text(out.said))
        if out.reason == "where":
            parts = [f"{part.text}: {account.effect(part)}" for part in account.conjuncts]
            table.add_row(
                "", Text("\n".join([f"of {account.judged:,} rows that nothing else keeps out", *parts]), "dim")
            )
    said = (
        f"drawn; {account.wordless:,} of them without words, their captions are empty" if account.wordless else "drawn"
    )
    table.add_row(Text(f"{account.drawn:,}", "bold"), Text(said, "bold"))
    return table


def look_table(found: Look) -> Table:
    """Every column of the index, the most different first."""
    table = Table(title="\nDrawn against all", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("column", "distance", "median: all", "eligible", "drawn", "all", "drawn"):
        table.add_column(Text(column), justify="left" if column in ("column", "all") else "right", no_wrap=True)
    for difference in found.differences:
        far = Text(f"{difference.distance:.3f}", "bold" if difference.differs else "dim")
        medians = [short(spread.quartiles[1]) for spread in difference.spreads] or [""] * len(POPULATIONS)
        drawings = [sparkline(difference.bins, population) for population in (ALL, DRAWN)]
        table.add_row(Text(difference.column), far, *medians, *drawings)
    return table


def gather_on_ray(
    dataset: Dataset, families: Families, by_shard: dict[str, pa.Table], *, workers: int
) -> Iterator[pa.Table]:
    """Read the wanted rows of several shards at a time."""
    connect(workers)
    read = ray.remote(gather_shard)
    running: list[Any] = []
    for name, wanted in by_shard.items():
        running.append(read.remote(dataset, families, name, wanted))
        if len(running) == workers:
            yield ray.get(running.pop(0))
    yield from map(ray.get, running)


if __name__ == "__main__":
    run_command(main)
