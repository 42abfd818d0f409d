"""What a dry run predicts beside what the job then does: rate, time, bytes and failures, on the same photographs."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  as in the other benchmarks; the dry run keeps to it too

import pyarrow as pa
import torch
from PIL import Image
from typer import Argument, Option

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import count
from benchmarks.annotate import PHOTOS
from benchmarks.annotators import hardware
from benchmarks.table import update
from manifests.dataset import Dataset
from manifests.footer import write_shard
from manifests.layout import IMAGES
from manifests.storage import replace
from pipelines.entry import run

ROOT = Path(__file__).resolve().parent.parent
JOBS = {"canny": (512, 2_048), "hed": (96, 768)}  # pixels, rows
SPOILT = 0.03  # of the pictures, as a failing disk spoils them
HEAD = (
    *("", "rows", "img/s, said", "measured", "ratio", "seconds, said", "command took"),
    *("bytes a row, said", "measured", "ratio", "failed, said", "measured"),
)


def main(
    photos: Annotated[Path, Argument(help="folder of JPEG photographs")] = PHOTOS,
    only: Annotated[str, Option(help=f"one of {', '.join(JOBS)}; all if empty")] = "",
    sample: Annotated[int, Option(help="rows that the dry run tries")] = 256,
    out: Annotated[Path, Option(help="Markdown file whose table is brought up to date")] = ROOT / "docs/planning.md",
) -> None:
    """Compare: python benchmarks/dry_run.py /data/photos --only canny

    A minute or two for each job on two cores. Give hed's weights in PAIRMILL_WEIGHTS.
    """
    for line in [only] if only else JOBS:
        resolution, rows = JOBS[line]
        with tempfile.TemporaryDirectory(prefix="pairmill-bench-") as name:
            dataset = make_dataset(sorted(photos.glob("*.jpg")), Path(name), rows)
            families = line.split(" and ")
            said = foreseen(dataset, families, resolution, sample)
            cells = compare(said, dataset, families, resolution)
        print(f"{line}: {' | '.join(cells)}", flush=True)
        title = f"{os.cpu_count()} processes of {hardware_of_all()}; {sample} rows tried."
        update(out, name="dry runs", title=title, head=HEAD, lines={line: [f"{rows:,}", *cells]})


def hardware_of_all() -> str:
    """The machine's processor and torch."""
    return hardware(torch.device("cpu")).removeprefix("one thread of ")


def make_dataset(files: Sequence[Path], folder: Path, rows: int) -> Dataset:
    """Photographs of many sizes, again and again, each time cropped otherwise; some of them damaged once stored.

    Copies would be packed together where a sample brings them into one row group, which shards don't.
    """
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, path in enumerate(islice(cycle(files), rows)):
        margin = 4 * (number // len(files))
        with Image.open(path) as photograph:
            width, height = photograph.size
            cropped = photograph.convert("RGB").crop((margin, margin, width - margin, height - margin))
        cropped.save(corpus / f"{number:05d}.jpg", quality=92)
        (corpus / f"{number:05d}.txt").write_text(f"photograph {number}")
    dataset = make_plan(folder / "dataset", find_corpus(str(corpus)))
    rng = random.Random(0)
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=0, done=lambda _: None)
        spoil(dataset, name, rng)
    return dataset


def spoil(dataset: Dataset, name: str, rng: random.Random) -> None:
    """Damage some pictures of a shard."""
    table = dataset.read(IMAGES, name)
    images = [
        {"bytes": b"damaged", "path": None} if rng.random() < SPOILT else image for image in table["image"].to_pylist()
    ]
    column = table.schema.get_field_index("image")
    field = table.schema.field(column)
    spoilt = table.set_column(column, field, pa.array(images, field.type))
    replace(lambda partial: write_shard(spoilt, partial), dataset.path(IMAGES, name))


def command(dataset: Dataset, families: Sequence[str], resolution: int, *more: str) -> float:
    """Seconds that annotate.py takes."""
    words = [*families, "--resolution", str(resolution), *more]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, str(ROOT / "pipelines/annotate.py"), str(dataset.root), *words],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def foreseen(dataset: Dataset, families: Sequence[str], resolution: int, sample: int) -> dict[str, Any]:
    """What a dry run says."""
    path = Path(str(dataset.root)).parent / "forecast.json"
    took = command(dataset, families, resolution, "--dry-run", "--sample", str(sample), "--json", str(path))
    print(f"the dry run took {took:.0f} s", flush=True)
    return dict(json.loads(path.read_text()))


def compare(said: dict[str, Any], dataset: Dataset, families: Sequence[str], resolution: int) -> list[str]:
    """Run the job, and set it beside what was said."""
    took = command(dataset, families, resolution)
    notes = [json.loads(path.read_text()) for path in (dataset.root / "logs/annotate").glob("*.json")]
    rate = said["workers"] * dataset.rows() / sum(note["seconds"] for note in notes)
    paths = [dataset.path(family, name) for family in families for name in dataset.shards(family)]
    size = sum(path.stat().st_size for path in paths) / dataset.rows()
    size_said = {end: sum(of["bytes_per_row"][end] for of in said["families"]) for end in said["bytes"]}
    failed = count(dataset, families[0])["failed"] / dataset.rows()
    return [
        interval(said["together"], ".0f" if rate >= 100 else ".1f"),
        f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}",
        f"{said['together']['likely'] / rate:.2f}",
        interval(said["seconds"], ".0f"),
        f"{took:.0f}",
        interval(size_said, ",.0f"),
        f"{size:,.0f}",
        f"{size_said['likely'] / size:.3f}",
        interval(said["families"][0]["failed"], ".1%"),
        f"{failed:.1%}",
    ]


def interval(found: dict[str, float], form: str) -> str:
    """A prediction and its interval."""
    return f"{found['likely']:{form}} [{found['low']:{form}}, {found['high']:{form}}]"


if __name__ == "__main__":
    run(main)
