"""Take-down: pictures that are not to be used any more leave the index, and with it every subset and view."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import pyarrow as pa
import pyarrow.compute as pc
from typer import Argument, Option

from annotate.place import check_dataset
from evaluate.page.strip import show_examples
from manifests.catalogue import catalogue
from manifests.dataset import Dataset
from manifests.index import ROWS, read_index
from manifests.removed import remove_pictures, taken_down
from pipelines.entry import run as run_command


def main(
    dataset: Annotated[str, Argument(help="made by pipelines/ingest.py")],
    keys: Annotated[list[str], Argument(help="of rows, as the index and every family have them; @FILE: one to a line")],
    reason: Annotated[str, Option(help="noted beside them")] = "",
) -> None:
    """Take pictures down: python pipelines/remove.py /data/photos_pairs 0a1b2c3d4e5f6071 --reason "request of 3 May"

    With a row go all rows of the same picture, in parts yet to be appended too, but not its near-duplicates: name them
    as well. The shards keep their bytes: subsets, joins, contact sheets and the card's examples leave the rows out,
    `datasets.load_dataset` of the folder does not.
    """
    root = check_dataset(dataset)
    opened = Dataset.open(root)
    wanted = {key for given in keys for key in _named(given)}
    rows = read_index(opened, ROWS, ["key", "picture"])
    found = rows.filter(pc.is_in(rows["key"], pa.array(sorted(wanted), pa.string())))
    unknown = sorted(wanted - set(found["key"].to_pylist()))
    if unknown:
        raise ValueError(f"{root}: no row has the key {unknown[0]} ({len(unknown)} such). Nothing was removed")
    pictures = sorted(set(found["picture"].to_pylist()))
    remove_pictures(opened, pictures, reason)
    show_examples(opened)
    catalogue(opened)
    gone = pc.sum(taken_down(opened, rows["picture"])).as_py()
    print(f"{len(pictures)} pictures taken down; of {len(rows)} rows {gone} are not to be used any more")


def _named(given: str) -> list[str]:
    return Path(given[1:]).read_text(encoding="utf-8").split() if given.startswith("@") else [given]


if __name__ == "__main__":
    run_command(main)
