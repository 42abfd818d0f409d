"""What share of an annotate job is not the work itself: Ray, attempts, publishing, balance, index and card."""

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import pyarrow as pa
import pyarrow.parquet as pq
from typer import Argument, Option

from annotate import job
from annotate.annotate_worker import pin_threads
from annotate.canny import Canny, trace_edges
from annotate.image import decode, fit
from annotate.rows import finish
from annotate.task import Task, make_tasks
from annotate.worker import keep_memory
from benchmarks.annotate import PHOTOS, RESOLUTION, resize, timed
from manifests.dataset import Dataset
from manifests.footer import write_shard
from manifests.layout import IMAGES
from manifests.record import family_schema
from pipelines import annotate, ingest
from pipelines.entry import run

CORES = os.cpu_count() or 1
FEW, MANY = 512, 4_608  # rows of two datasets; what both cost, as the start of workers, is taken off


def main(
    photos: Annotated[Path, Argument(help="folder of JPEG photographs")] = PHOTOS,
    repeats: Annotated[int, Option(help="rounds of both; medians are printed")] = 5,
) -> None:
    """Measure: python benchmarks/bookkeeping.py /data/photos

    Six minutes on two cores.
    """
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  as that of the processes beside it
    with tempfile.TemporaryDirectory(prefix="pairmill-bookkeeping-") as name:
        folder = Path(name)
        pictures = resize(sorted(photos.glob("*.jpg"))[:192], folder / "photos")
        job.connect(CORES)
        few, many = (make_dataset(pictures, folder / str(rows), rows) for rows in (FEW, MANY))
        shares = []
        for number in range(repeats):
            ours = ours_seconds(many, number) - ours_seconds(few, number)
            bare = bare_seconds(many) - bare_seconds(few)
            shares.append(1 - bare / ours)
            print(
                f"{MANY - FEW} rows: the job {ours:.1f} s, its work alone {bare:.1f} s; bookkeeping is {shares[-1]:.1%}"
            )
        print(f"median {median(shares):.1%}")


def make_dataset(pictures: list[Path], folder: Path, rows: int) -> Dataset:
    """The same files ingested, again and again until there are enough rows."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, path in enumerate(islice(cycle(pictures), rows)):
        (corpus / f"{number:05d}.jpg").hardlink_to(path)
        (corpus / f"{number:05d}.txt").write_text(f"photograph {number}")
    ingest.main(str(corpus), folder / "dataset")
    return Dataset.open(folder / "dataset")


def ours_seconds(dataset: Dataset, number: int) -> float:
    """A whole command, balance, index and card included, on every core."""
    return timed(lambda: annotate.main(dataset.root, [f"round_{number}=canny"], resolution=RESOLUTION))


def bare_seconds(dataset: Dataset) -> float:
    """The same shards read, annotated, encoded and written by as many processes that keep no books."""
    (task,) = make_tasks(dataset, ["bare=canny"], resolution=RESOLUTION)
    shards = [dataset.path(IMAGES, name) for name in dataset.shards()]
    name = tempfile.mkdtemp(dir=dataset.root.parent)
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        return timed(lambda: list(pool.map(partial(make_bare, task=task, folder=Path(name)), shards)))


def make_bare(path: Path, *, task: Task, folder: Path) -> None:
    """One shard, by the functions that the job calls."""
    pin_threads()
    keep_memory()
    table = pq.read_table(path, columns=["key", "image"])
    rows = []
    for key, image in zip(table["key"].to_pylist(), table["image"], strict=True):
        picture = fit(decode(image.as_py()["bytes"]), RESOLUTION)
        drawn = task.annotator.draw(f"{key}:{task.family}")
        rows.append(finish(task, key, trace_edges(picture[None], [drawn])[0], drawn))
    made = pa.Table.from_pylist(rows, schema=family_schema(Canny.kind, Canny.parameters, Canny.stats))
    write_shard(made, folder / path.name, card=task.card)


if __name__ == "__main__":
    run(main)
