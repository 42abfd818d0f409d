"""Dataset → index: build it again from the shards, and say what it covers."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.table import Table
from typer import Argument

from annotate.place import check_dataset
from manifests.catalogue import catalogue
from manifests.dataset import Dataset
from manifests.index import ROWS, index_path, index_schema, read_index
from manifests.layout import IMAGES
from manifests.record import STATUSES
from pipelines.entry import run as run_command
from pipelines.entry import terminal


def main(dataset: Annotated[str, Argument(help="made by pipelines/ingest.py")]) -> None:
    """Index a dataset: python pipelines/index.py /data/photos_pairs

    Ingest and annotate do it when they end. It reads no picture: a million rows take some four seconds.
    """
    root = check_dataset(dataset)
    opened = Dataset.open(root)
    lacking = catalogue(opened)
    if lacking[IMAGES]:
        raise ValueError(
            f"{root}: {lacking[IMAGES]} shards of images/ are missing. "
            f"Finish it: python pipelines/ingest.py CORPUS {root}, with --append if it was appended, of "
            f"{opened.corpora()[-1]}"
        )
    show(opened, lacking)
    print(f"made {index_path(opened, ROWS).parent}")


def show(dataset: Dataset, lacking: dict[str, int]) -> None:
    """Print what the index knows of each family."""
    splits = _counts(dataset, ROWS, "split")
    print(f"{splits.total()} rows: " + ", ".join(f"{count} {split}" for split, count in splits.most_common()))
    table = Table("family", *STATUSES, "columns for `where`")
    for family in dataset.families():
        if lacking[family]:
            words = f"not indexed: {lacking[family]} shards are missing or outdated"
            table.add_row(family, *[""] * len(STATUSES), words)
            continue
        by = _counts(dataset, family, "status")
        columns = [name for name in index_schema(dataset, family).names if name not in ("status", "code")]
        table.add_row(family, *(str(by[status]) for status in STATUSES), ", ".join(columns))
    terminal().print(table)


def _counts(dataset: Dataset, family: str, column: str) -> Counter[str]:
    found = read_index(dataset, family, [column])[column].value_counts().to_pylist()
    return Counter({of["values"]: of["counts"] for of in found})


if __name__ == "__main__":
    run_command(main)
