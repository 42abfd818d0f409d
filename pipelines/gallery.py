"""Dataset → contact sheet: pictures with all their conditions side by side, to be looked at with one's own eyes."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.job import check_dataset
from evaluate.sheet import write_sheet
from manifests.dataset import Dataset
from manifests.storage import locate
from pipelines.entry import run as run_command


def main(
    dataset: Annotated[str, Argument(help="annotated by pipelines/annotate.py")],
    out: Annotated[str, Option(help="HTML file to write; DATASET/sheet.html by default")] = "",
    rows: Annotated[int, Option(help="pictures at random; some with extreme stats come on top", min=1)] = 12,
) -> None:
    """Make a contact sheet: python pipelines/gallery.py /data/photos_pairs

    One HTML file that needs nothing else: are the conditions upright, aligned, and of the right polarity?
    """
    root = check_dataset(dataset)
    print(f"made {write_sheet(Dataset.open(root), locate(out) if out else root / 'sheet.html', rows=rows)}")


if __name__ == "__main__":
    run_command(main)
