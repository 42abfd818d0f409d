"""Time and memory of everything that looks at all rows of a dataset, each in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.again import failed_shards
from annotate.corpus import find_corpus
from annotate.plan import make_plan, planned, planned_rows
from annotate.shard import count
from benchmarks.big_dataset import FAMILY, make_corpus, make_dataset
from evaluate.sheet.page import write_sheet
from manifests.dataset import Dataset
from manifests.hub import write_dataset_card
from manifests.index import ROWS, build_index, index_path, read_index
from manifests.layout import IMAGES, PLAN, SPLITS, shard_path
from manifests.manifest import Manifest
from manifests.splits.splits import draw_splits
from manifests.subset import Subset, candidates, draw, resolve
from manifests.training_set.gather import Families, forecast_reading, rows_by_shard
from pipelines.entry import run

WHERE = "edge_density BETWEEN 0.05 AND 0.30 AND width >= 600 AND caption_length > 20"
LOOKED_UP = 20  # shards of the plan


def plan(dataset: Dataset) -> str:
    """List the corpus and write its plan, beside the dataset."""
    aside = dataset.root.parent / "planned"
    shard_path(aside, PLAN, "00").unlink(missing_ok=True)
    made = make_plan(aside, find_corpus(str(dataset.root.parent / "corpus")))
    return f"{planned_rows(made, made.planned()):,} records"


def look_up(dataset: Dataset) -> str:
    """What each ingest worker does before a shard; seconds are of so many shards."""
    names = dataset.planned()[:: max(1, len(dataset.planned()) // LOOKED_UP)][:LOOKED_UP]
    return f"{sum(len(planned(dataset.root, name)) for name in names):,} records of {len(names)} shards"


def missing(dataset: Dataset) -> str:
    """What a job does before each of its rounds."""
    return f"{len(dataset.missing(IMAGES)) + len(dataset.missing(FAMILY))} of {2 * len(dataset.planned()):,} shards"


def split(dataset: Dataset) -> str:
    """Once for each part."""
    shard_path(dataset.root, SPLITS, "00").unlink(missing_ok=True)
    draw_splits(dataset, 0, dataset.planned())
    return f"{len(dataset.shards()):,} shards"


def index(dataset: Dataset) -> str:
    """All of it again, from the shards."""
    build_index(dataset)
    sizes = [index_path(dataset, family).stat().st_size for family in (ROWS, FAMILY)]
    return f"{sum(sizes) / 1e6:,.0f} MB"


def read(dataset: Dataset) -> str:
    """The index of rows and of one family, every column."""
    tables = [read_index(dataset, family) for family in (ROWS, FAMILY)]
    return f"{len(tables[0]):,} rows, {sum(table.nbytes for table in tables) / 1e9:.1f} GB in memory"


def eligible(dataset: Dataset, where: str = "") -> str:
    """Rows that a manifest may draw from."""
    return f"{len(candidates(dataset, FAMILY, 'train', where=where)):,} rows"


def drawn(dataset: Dataset) -> str:
    """The draw alone, after the candidates were found."""
    found = candidates(dataset, FAMILY, "train")
    began = time.perf_counter()
    rows = len(draw(found, rows=200_000, seed=0))
    return f"{rows:,} rows; {time.perf_counter() - began:.1f} s of it after the candidates"


def subset(dataset: Dataset, rows: int, where: str = "") -> Subset:
    """As a manifest asks for it; of a small dataset half."""
    asked = min(rows, dataset.rows() // 2)
    return resolve(Manifest(dataset=dataset.root, condition=FAMILY, where=where, rows=asked, base="none"))


def resolved(dataset: Dataset, rows: int, where: str = "") -> str:
    """All that a training does before it reads pictures."""
    found = subset(dataset, rows, where)
    return f"{len(found.rows):,} of {found.found:,} rows, fingerprint {found.fingerprint}"


def foretold(dataset: Dataset, rows: int) -> str:
    """The line that is printed before a training set is built."""
    return str(forecast_reading(dataset, Families(FAMILY), rows_by_shard(subset(dataset, rows).rows)))


def card(dataset: Dataset) -> str:
    """The dataset's card."""
    write_dataset_card(dataset)
    return f"{len(dataset.families()) + 2} configurations"


def sheet(dataset: Dataset) -> str:
    """The contact sheet; its pictures, of a few bytes, do not open."""
    page = write_sheet(dataset, dataset.root.parent / "sheet.html", rows=12)
    return f"{page.read_text().count('<article')} rows on it"


def statuses(dataset: Dataset) -> str:
    """What an annotate job counts at its end."""
    return ", ".join(f"{number:,} {status}" for status, number in count(dataset, FAMILY).items())


def failed(dataset: Dataset) -> str:
    """What --retry looks for."""
    return f"{len(failed_shards(dataset, FAMILY, '')):,} shards"


STEPS: dict[str, tuple[str, Callable[[Dataset], str]]] = {
    "plan": ("list a Parquet corpus, write the plan", plan),
    "look_up": (f"plan of {LOOKED_UP} shards looked up by workers", look_up),
    "missing": ("missing shards of images/ and of a family", missing),
    "split": ("`draw_splits`", split),
    "index": ("`build_index`, splits drawn", index),
    "read": ("`read_index`, all columns", read),
    "card": ("dataset card", card),
    "sheet": ("contact sheet", sheet),
    "statuses": ("statuses of a family counted", statuses),
    "failed": ("shards with failed rows found", failed),
    "candidates": ("candidates", eligible),
    "where": ("candidates that fulfil `where`", partial(eligible, where=WHERE)),
    "draw": ("draw of 200,000 rows", drawn),
    "resolve_10k": ("manifest of 10,000 rows resolved", partial(resolved, rows=10_000)),
    "resolve_1m": ("manifest of 1,000,000 rows resolved", partial(resolved, rows=1_000_000)),
    "resolve_where": ("the same with `where`", partial(resolved, rows=1_000_000, where=WHERE)),
    "forecast": ("10,000 rows: bytes foretold", partial(foretold, rows=10_000)),
}


def main(
    folder: Annotated[Path, Argument(help="to make the dataset in, 4 GB for 20 million rows, or one that has it")],
    rows: Annotated[int, Option(help="of a new dataset", min=1)] = 20_000_000,
    step: Annotated[str, Option(help=f"only this one: {', '.join(STEPS)}")] = "",
    processes: Annotated[int, Option(help="that make the dataset", min=1)] = 2,
) -> None:
    """Measure: python benchmarks/scale.py /scratch/scale

    On two cores ten minutes to make the dataset, and five to measure. Prints a table in Markdown.
    """
    if not (folder / "corpus").exists():
        make_corpus(folder / "corpus", rows)
    dataset = make_dataset(folder / "dataset", str(folder / "corpus"), processes)
    if step:
        print(measure(dataset, step), flush=True)
        return
    print(f"{dataset.rows():,} rows in {len(dataset.shards()):,} shards\n\n| step | seconds | peak GB | found |")
    print("|---|---|---|---|", flush=True)
    for name in STEPS:
        command = [sys.executable, __file__, str(folder), "--step", name]
        subprocess.run(command, check=True)


def measure(dataset: Dataset, step: str) -> str:
    """One row of the table: this process's time for one step, and its peak memory, 0.7 GB of it the imports."""
    title, work = STEPS[step]
    began = time.perf_counter()
    found = work(dataset)
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text().split()
    return f"| {title} | {seconds:.1f} | {int(status[status.index('VmHWM:') + 1]) / 1e6:.1f} | {found} |"


if __name__ == "__main__":
    run(main)
