"""Start of a training: seconds and memory up to its first step, of a set of millions of rows and of a small one."""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import yaml
from typer import Argument, Option

from benchmarks import processes
from benchmarks.big_dataset import FAMILY, make_corpus, make_dataset, small_pictures
from benchmarks.processes import Taken
from manifests.index import ROWS, build_index, index_path
from manifests.manifest import load_manifest
from manifests.subset import resolve
from manifests.training_set.prepared import prepared
from manifests.training_set.training_set import ensure_training_set
from pipelines.entry import run

ROOT = Path(__file__).resolve().parent.parent
SMALL = 10_000  # rows of the set to compare with
SPARE = 1.12  # rows of a dataset for each of its training set: others are held out, empty, failed or copies
IMPORTS = """import sys
from pathlib import Path
sys.path[0] = sys.argv[1]
import train.run
Path(sys.argv[2]).write_text("done")
"""


def main(
    folder: Annotated[Path, Argument(help="to make the datasets in, 5 GB for 3 million rows, or one that has them")],
    rows: Annotated[int, Option(help="of the large training set", min=SMALL)] = 3_000_000,
    rounds: Annotated[int, Option(help="of which the fastest counts", min=1)] = 3,
    workers: Annotated[int, Option(help="processes that make the dataset", min=1)] = 2,
) -> None:
    """Measure: python benchmarks/startup.py /scratch/startup

    On two cores a quarter of an hour to make the datasets, once, and two minutes to measure. Prints a table.
    """
    manifests = {size: make(folder / str(size), size, workers) for size in (SMALL, rows)}
    print("| | seconds | on a processor | MB of the largest process | MB of all processes |\n|---|---|---|---|---|")
    print(f"| imports alone | {fastest(folder, None, rounds)} |", flush=True)
    for size, manifest in manifests.items():
        print(f"| {size:,} rows | {fastest(folder, manifest, rounds)} |", flush=True)


def make(folder: Path, rows: int, workers: int) -> Path:
    """A dataset with its index and a training set of `rows` rows; returns the manifest of a training of one step."""
    if not (folder / "corpus").exists():
        make_corpus(folder / "corpus", round(rows * SPARE))
    dataset = make_dataset(folder / "dataset", str(folder / "corpus"), workers, small_pictures())
    if not index_path(dataset, ROWS).exists():
        build_index(dataset)
    path = folder / "start.yaml"
    train = {"steps": 1, "batch_size": 4, "precision": "no"}
    data = {"dataset": str(dataset.root), "condition": FAMILY, "rows": rows, "resolution": 128}
    watch = {"monitor_every": 0, "probe_every": 0, "log_every": 1}
    base = str(ROOT / "train/tiny_base/model")
    path.write_text(yaml.safe_dump({**data, "base": base, "train": train, "watch": watch}))
    manifest = load_manifest(path)
    ensure_training_set(prepared(manifest) or resolve(manifest), manifest, say=print)
    return path


def fastest(folder: Path, manifest: Path | None, rounds: int) -> str:
    """The fastest of some starts, as cells; without a manifest, of everything that a training imports."""
    taken = min((measure(folder, manifest) for _ in range(rounds)), key=lambda start: start.seconds)
    return f"{taken.seconds:.1f} | {taken.processor:.1f} | {taken.resident:,.0f} | {taken.tree:,.0f}"


def measure(folder: Path, manifest: Path | None) -> Taken:
    """One start, as a user's, by `accelerate launch`, up to the first line of its log."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        done = Path(scratch) / "run" / "log.jsonl"
        words = [str(ROOT / "train" / "run.py"), "--manifest", str(manifest), "--run", str(done.parent)]
        if manifest is None:
            done = Path(scratch) / "imported"
            words = [str(Path(scratch) / "run.py"), str(ROOT), str(done)]
            Path(words[0]).write_text(IMPORTS)
        launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "1"]
        taken = processes.run([*launch, *words], os.environ, folder / "start.log", partial(is_written, done))
        assert is_written(done), "a run that went well has a log"
        return taken


def is_written(path: Path) -> bool:
    """Whether something stands in a file."""
    return path.exists() and path.stat().st_size > 0


if __name__ == "__main__":
    run(main)
