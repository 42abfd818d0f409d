"""Dataset → its duplicates: clusters by size, what draws lose to them, leaks across splits, and a page to look at."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.table import Table
from typer import Argument, Option

from annotate.place import check_dataset
from evaluate.duplicates.duplicates import Survey, survey
from evaluate.duplicates.page import write_clusters_page
from manifests.dataset import Dataset
from manifests.storage import locate
from pipelines.entry import run as run_command
from pipelines.entry import terminal


def main(
    dataset: Annotated[str, Argument(help="made by pipelines/ingest.py")],
    out: Annotated[str, Option(help="HTML file to write; DATASET/duplicates.html by default")] = "",
    clusters: Annotated[int, Option(help="shown of each kind: largest, across splits, excluded, cut", min=1)] = 12,
) -> None:
    """Report duplicates: python pipelines/duplicates.py /data/photos_pairs

    Of a dataset ingested with --duplicates exact it tells near copies too, once it has hashes: annotate.py DATASET
    phash. It changes nothing: splits stay as they were drawn.
    """
    root = check_dataset(dataset)
    opened = Dataset.open(root)
    found = survey(opened)
    show(found)
    page = write_clusters_page(opened, found, locate(out) if out else root / "duplicates.html", clusters=clusters)
    print(f"made {page}")


def show(found: Survey) -> None:
    """Print the figures."""
    print(f"{len(found.rows):,} rows in {len(found.sizes):,} clusters of {found.basis}")
    table = Table("rows in a cluster", "clusters", "rows")
    for size, clusters, rows in found.by_size:
        table.add_row(size, f"{clusters:,}", f"{rows:,}")
    terminal().print(table)
    print(f"{found.not_drawn:,} rows of train are never drawn: another of their cluster stands for them")
    print(f"{found.excluded:,} rows are near to two splits, and so in none (split `excluded`)")
    for chain in found.capped:
        what = f"{len(chain.rows):,} rows with {chain.hashes:,} hashes"
        print(f"cut: a chain of {what}; those left together differ in {chain.distance} bits at most, row by row")
    for leak in found.leaks or []:
        print(f"leak: {leak.rows:,} rows of {leak.split} are near to rows of {leak.near_to}: {', '.join(leak.keys)}")
    if found.leaks is not None and not found.leaks:
        print("no held-out row is near to one of another split")


if __name__ == "__main__":
    run_command(main)
