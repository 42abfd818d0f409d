"""Canny through our real path beside a loop over controlnet_aux, on the same photographs and cores, in one run."""

import io
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

os.environ["PYTHONWARNINGS"] = "ignore"  # controlnet_aux imports what it warns of, in every process
# Ray runs its workers at nice 15, and so behind whatever else runs; a loop is not polite.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  Ray reads it so
warnings.simplefilter("ignore")

import torch
from controlnet_aux import CannyDetector
from PIL import Image
from typer import Argument, Option

from annotate import job
from annotate.annotate_worker import AnnotateOrder, AnnotateWorker, pin_threads
from annotate.attempts import Attempts
from annotate.image import decode, fit
from annotate.pool import Pool
from annotate.shard import annotate_shard, bind
from annotate.task import Task, make_tasks
from manifests import condition
from manifests.dataset import Dataset
from manifests.family import create_card
from pipelines import ingest
from pipelines.entry import run

RESOLUTION = 512
CORES = os.cpu_count() or 1
ROWS = 8_192  # of our dataset: the photographs again and again, under other captions
WARM_SHARDS = 4  # of 16: a job of these is timed too, and taken off, with the workers' start
PHOTOS = Path(__file__).resolve().parent.parent.parent / "shared/data/photos"


def main(
    photos: Annotated[Path, Argument(help="folder of JPEG photographs")] = PHOTOS,
    count: Annotated[int, Option(help="photographs that a loop reads")] = 192,
    repeats: Annotated[int, Option(help="rounds, one of each after the other; medians are printed")] = 3,
) -> None:
    """Compare: python benchmarks/annotate.py /data/photos

    Five minutes on two cores. Rates are of the steady state: neither Ray's start nor a loop's imports count.
    """
    found = sorted(photos.glob("*.jpg"))
    files = found[:: max(1, len(found) // count)][:count]
    if not files:
        raise ValueError(f"{photos}: no *.jpg there. Give a folder of photographs: make bench PHOTOS=/data/photos")
    with tempfile.TemporaryDirectory(prefix="pairmill-bench-") as name:
        folder = Path(name)
        resized = resize(files, folder / "photos")
        dataset = make_dataset(resized, folder)
        job.connect(CORES)
        rounds = [
            {
                "loop": loop_rate(resized, folder, 1),
                "loops": loop_rate(resized, folder, CORES),
                "one": our_rate(dataset, f"one_{number}", 1),
                "ours": our_rate(dataset, f"all_{number}", CORES),
            }
            for number in range(repeats)
        ]
        show(rounds)
        show_cost(dataset, resized, folder)
        show_bytes(dataset, len(resized))


def resize(files: list[Path], folder: Path) -> list[Path]:
    """The photographs at 512 pixels on the short side, as JPEG."""
    folder.mkdir()
    for path in files:
        Image.fromarray(fit(decode(path.read_bytes()), RESOLUTION)).save(folder / path.name, quality=95)
    return sorted(folder.iterdir())


def make_dataset(files: list[Path], folder: Path) -> Dataset:
    """The same files ingested, again and again until there are `ROWS`."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, path in enumerate(islice(cycle(files), ROWS)):
        (corpus / f"{number:05d}.jpg").hardlink_to(path)
        (corpus / f"{number:05d}.txt").write_text(f"photograph {number}")
    ingest.main(str(corpus), folder / "dataset")
    return Dataset.open(folder / "dataset")


def loop(files: list[Path], out: Path) -> None:
    """What people write: decode, annotate, save."""
    detector = CannyDetector()
    for path in files:
        detector(Image.open(path).convert("RGB")).save(out / f"{path.stem}.png")


def loop_rate(files: list[Path], folder: Path, processes: int) -> float:
    """Pictures a second of that loop, in so many processes at once; their start does not count."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(loop, [files[:8]] * processes, [folder] * processes))
        shares = [files[start::processes] for start in range(processes)]
        return len(files) / timed(lambda: list(pool.map(loop, shares, [folder] * processes)))


def our_rate(dataset: Dataset, name: str, workers: int) -> float:
    """Pictures a second of an annotate job of so many workers; a small job, timed as well, is taken off."""
    few, many = make_tasks(dataset, [f"few_{name}=canny", f"many_{name}=canny"])
    warm, whole = dataset.shards()[:WARM_SHARDS], dataset.shards()
    start = timed(lambda: annotate(dataset, few, warm, workers))
    took = timed(lambda: annotate(dataset, many, whole, workers)) - start
    return (rows_of(dataset, whole) - rows_of(dataset, warm)) / took


def annotate(dataset: Dataset, task: Task, names: list[str], workers: int) -> None:
    """The part of pipelines/annotate.py that makes shards."""
    create_card(dataset.root, task.card)
    order = AnnotateOrder(str(dataset.root), dataset.settings.id, (task,), Attempts("annotate"))

    def missing() -> list[str]:
        return [name for name in names if not dataset.path(task.family, name).exists()]

    job.run_shards(AnnotateWorker, {"order": order}, job.Goal("annotate", ROWS, missing), Pool(workers))


def show(rounds: list[dict[str, float]]) -> None:
    """Print the rates side by side."""
    print(f"\ncanny, {RESOLUTION}-pixel photographs, {CORES} cores, median of {len(rounds)} rounds")
    names = {
        "loop": "controlnet_aux, a loop (PIL decode, CannyDetector, PNG)",
        "loops": f"controlnet_aux, that loop in {CORES} processes",
        "one": "pipelines/annotate.py, 1 worker",
        "ours": f"pipelines/annotate.py, {CORES} workers",
    }
    for way, name in names.items():
        rates = [of[way] for of in rounds]
        ratios = [of["ours"] / of[way] for of in rounds]
        span = f"{min(ratios):.1f} to {max(ratios):.1f}"
        print(f"  {name:58} {median(rates):7.1f} img/s   ours / this: {median(ratios):.1f}x ({span})")


def show_cost(dataset: Dataset, files: list[Path], folder: Path) -> None:
    """Print processor time, which a busy machine does not spoil."""
    pin_threads()  # as in a worker: threads that wait for each other burn processor time
    (task,) = make_tasks(dataset, ["cost=canny"])
    bound = bind([task], torch.device("cpu"))
    name = dataset.shards()[0]
    ours = spent(lambda: annotate_shard(dataset, name, bound, batch_size=8, threads=0, done=lambda _: None))
    theirs = spent(lambda: loop(files, folder)) / len(files)
    ours /= rows_of(dataset, [name])
    print(f"  processor time: loop {1e3 * theirs:.1f} ms a picture, ours {1e3 * ours:.1f} ms: {theirs / ours:.1f}x")


def show_bytes(dataset: Dataset, count: int) -> None:
    """Print the size of our conditions, of each photograph once, beside that of the same maps as RGB PNG."""
    tables = (dataset.read("many_all_0", name, ["condition"]) for name in dataset.shards())
    cells = list(islice(chain.from_iterable(table["condition"].to_pylist() for table in tables), count))
    png = sum(len(as_png(condition.decode("binary", cell) * 255)) for cell in cells)
    ours = sum(len(cell["bytes"]) for cell in cells)
    print(f"  bytes: {ours / len(cells):,.0f} a map, RGB PNG {png / len(cells):,.0f}: {ours / png:.3f}x")


def as_png(edges: "condition.Condition") -> bytes:
    """RGB PNG as Pillow writes it."""
    buffer = io.BytesIO()
    Image.fromarray(edges).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def rows_of(dataset: Dataset, names: list[str]) -> int:
    """Rows in these shards."""
    return len(list(chain.from_iterable(dataset.read("images", name, ["key"])["key"] for name in names)))


def timed(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spent(work: Callable[[], object]) -> float:
    """Seconds of this process's threads on a processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    run(main)
