"""Start of a training: seconds and memory up to its first step, of a set of millions of rows and of a small one."""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import psutil
import yaml
from typer import Argument, Option

from benchmarks.big_dataset import FAMILY, make_corpus, make_dataset, small_pictures
from manifests.index import ROWS, build_index, index_path
from manifests.manifest import load_manifest
from manifests.prepared import prepared
from manifests.subset import resolve
from manifests.training_set import ensure_training_set
from pipelines.entry import run

ROOT = Path(__file__).resolve().parent.parent
SMALL = 10_000  # rows of the set to compare with
SPARE = 1.12  # rows of a dataset for each of its training set: others are held out, empty, failed or copies
EVERY = 0.2  # seconds between two looks at the memory
PATIENCE = 900  # seconds
LAUNCHER = "accelerate.commands.launch"
IMPORTS = """import sys
from pathlib import Path
sys.path[0] = sys.argv[1]
import train.run
Path(sys.argv[2]).write_text("done")
"""


@dataclass(frozen=True)
class Start:
    """What a start took.

    Attributes:
        seconds: from the command to the end of the first step, or to the end of the imports.
        processor: seconds of all processes on a processor until then.
        resident: MB, of the process that trains; files that it has mapped included.
        own: MB that are its own.
        tree: MB of all processes, what they share counted once.
    """

    seconds: float
    processor: float
    resident: float
    own: float
    tree: float

    def __str__(self) -> str:
        """As cells of the table."""
        return f"{self.seconds:.1f} | {self.processor:.1f} | {self.resident:,.0f} | {self.own:,.0f} | {self.tree:,.0f}"


def main(
    folder: Annotated[Path, Argument(help="to make the datasets in, 3 GB for 3 million rows, or one that has them")],
    rows: Annotated[int, Option(help="of the large training set", min=SMALL)] = 3_000_000,
    rounds: Annotated[int, Option(help="of which the fastest counts", min=1)] = 3,
    processes: Annotated[int, Option(help="that make the dataset", min=1)] = 2,
) -> None:
    """Measure: python benchmarks/startup.py /scratch/startup

    On two cores a quarter of an hour to make the datasets, once, and two minutes to measure. Prints a table.
    """
    manifests = {size: make(folder / str(size), size, processes) for size in (SMALL, rows)}
    print("| | seconds | on a processor | MB resident | MB its own | MB of all processes |\n|---|---|---|---|---|---|")
    print(f"| imports alone | {fastest(folder, None, rounds)} |", flush=True)
    for size, manifest in manifests.items():
        print(f"| {size:,} rows | {fastest(folder, manifest, rounds)} |", flush=True)


def make(folder: Path, rows: int, processes: int) -> Path:
    """A dataset with its index and a training set of `rows` rows; returns the manifest of a training of one step."""
    if not (folder / "corpus").exists():
        make_corpus(folder / "corpus", round(rows * SPARE))
    dataset = make_dataset(folder / "dataset", str(folder / "corpus"), processes, small_pictures())
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


def fastest(folder: Path, manifest: Path | None, rounds: int) -> Start:
    """The fastest of some starts; without a manifest, of everything that a training imports."""
    return min((measure(folder, manifest) for _ in range(rounds)), key=lambda start: start.seconds)


def measure(folder: Path, manifest: Path | None) -> Start:
    """One start, as a user's, by `accelerate launch`."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        done = Path(scratch) / "run" / "log.jsonl"
        words = [str(ROOT / "train" / "run.py"), "--manifest", str(manifest), "--run", str(done.parent)]
        if manifest is None:
            done = Path(scratch) / "imported"
            words = [str(Path(scratch) / "run.py"), str(ROOT), str(done)]
            Path(words[0]).write_text(IMPORTS)
        command = [sys.executable, "-m", LAUNCHER, "--num_processes", "1", *words]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as job:
            return watch(job, done, began)


def watch(job: "subprocess.Popen[str]", done: Path, began: float) -> Start:
    """Look at a job's memory until a file has something in it, then wait for its end."""
    own = resident = tree = processor = 0.0
    while not (done.exists() and done.stat().st_size):
        sizes = [size for process in family(job.pid) if (size := memory(process))]
        resident = max(resident, max((size[0] for size in sizes), default=0.0))
        own = max(own, max((size[1] for size in sizes), default=0.0))
        tree = max(tree, sum(size[2] for size in sizes))
        processor = max(processor, sum(size[3] for size in sizes))
        if job.poll() is not None and not done.exists():
            raise ValueError(f"the training ended before its first step: {job.stderr.read() if job.stderr else ''}")
        assert time.perf_counter() - began < PATIENCE, "the training never came to its first step"
        time.sleep(EVERY)
    seconds = time.perf_counter() - began
    job.communicate()
    return Start(seconds, processor, resident, own, tree)


def family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants that are still there."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory(process: psutil.Process) -> tuple[float, float, float, float] | None:
    """Resident and own megabytes, 0 but of the process that trains; its share of what is in memory; its seconds."""
    try:
        sizes, times = process.memory_full_info(), process.cpu_times()
        words = process.cmdline()
        trains = any(word.endswith("run.py") for word in words) and LAUNCHER not in words
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return (sizes.rss / 1e6 * trains, sizes.uss / 1e6 * trains, sizes.pss / 1e6, times.user + times.system)


if __name__ == "__main__":
    run(main)
