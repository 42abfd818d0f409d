"""Our detectors against what people have labelled, beside controlnet_aux on the same pictures: docs/truth.md."""

import os
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

os.environ["PYTHONWARNINGS"] = "ignore"  # controlnet_aux imports what it warns of, in every process
warnings.simplefilter("ignore")

import torch
from rich.console import Console
from rich.table import Table
from typer import Argument, Option

from annotate.weights import OTHERS, VARIABLE
from benchmarks.truth_dense import score_depth, score_playroom, score_segmentation
from benchmarks.truth_edges import score_edges
from benchmarks.truth_labels import score_boundaries, score_classes, score_poses
from benchmarks.truth_people import score_people
from benchmarks.truth_rows import Row
from pipelines.entry import run

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "truth.md"


def main(
    data: Annotated[Path, Argument(help="folder with bsds500/, mmpose-testdata/, nyu-kitti-samples/ and the rest")] = (
        SHARED / "data"
    ),
    weights: Annotated[Path, Option(help="folder of weights")] = SHARED / "weights",
    pictures: Annotated[int, Option(help="of BSDS500's 100; evenly spread", min=1)] = 100,
    rows: Annotated[int, Option(help="of the playroom", min=1)] = 200,
    out: Annotated[Path, Option(help="Markdown file whose table is written anew")] = DOCUMENT,
) -> None:
    """Score detectors: python benchmarks/truth.py /data/labelled --weights /data/weights

    A quarter of an hour on two cores, nearly all of it BSDS500.
    """
    os.environ.setdefault(VARIABLE, str(weights))
    os.environ[OTHERS] = "1"  # `weights` may hold other trainings; the document says whose
    torch.set_num_threads(1)
    found = list(_all(data, weights, pictures, rows))
    table = Table("task", "detector", "pictures", "figures", "remark")
    for row in found:
        table.add_row(row.task, row.detector, row.data, figures(row), row.remark)
    Console(width=None if sys.stdout.isatty() else 180).print(table)
    write(found, out, f"python benchmarks/truth.py DATA --weights WEIGHTS --pictures {pictures} --rows {rows}")
    print(f"made {out}")


def _all(data: Path, weights: Path, pictures: int, rows: int) -> Iterator[Row]:
    yield from score_people(data / "mmpose-testdata/tests/data/coco", weights)
    yield from score_depth(data / "nyu-kitti-samples")
    yield from score_segmentation(data / "ade20k-sceneparsing")
    yield from score_poses(data / "mmpose-testdata/tests/data/coco", weights)
    yield from score_classes(data / "ade20k-sceneparsing", weights)
    yield from score_boundaries(data / "bsds500", pictures)
    yield from score_playroom(rows)
    yield from score_edges(data / "bsds500", pictures, os.cpu_count() or 1)


def figures(row: Row) -> str:
    """As `ODS F 0.746, OIS F 0.757`."""
    return ", ".join(f"{name} {value:.3f}" for name, value in row.figures.items()) or "not measured"


def write(rows: Sequence[Row], path: Path, command: str) -> None:
    """Put the table into a document, between its two marks, with command and hardware."""
    begin, end = "<!-- measured -->", "<!-- end -->"
    before, _, rest = path.read_text().partition(begin)
    lines = [
        begin,
        f"`{command}`, on {os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}.",
        "",
        "| task | detector | pictures | figures | remark |",
        "|---|---|---|---|---|",
        *(f"| {row.task} | {row.detector} | {row.data} | {figures(row)} | {row.remark} |" for row in rows),
        end,
    ]
    path.write_text(before + "\n".join(lines) + rest.partition(end)[2])


if __name__ == "__main__":
    run(main)
