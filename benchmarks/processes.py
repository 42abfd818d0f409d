"""A job and its descendants, looked at from outside: when it gets somewhere, and what memory it has taken by then."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY = 0.1  # seconds between two questions whether the job got somewhere
LOOKS = 2.0  # seconds between two looks at memory, which take a while themselves and stop the job meanwhile


@dataclass
class Taken:
    """What a job has taken so far.

    Attributes:
        seconds: since its command.
        processor: seconds of all its processes on a processor.
        resident: MB of the largest process, files that it has mapped included.
        tree: MB of all processes, what they share counted once.
        device: MB in use on the first GPU, whosever; 0 without one.
    """

    seconds: float = 0
    processor: float = 0
    resident: float = 0
    tree: float = 0
    device: float = 0


def run(
    command: Sequence[str], environment: Mapping[str, str], log: Path, reached: Callable[[], object] = lambda: False
) -> Taken:
    """Run a command to its end, and say what it had taken by then, or when `reached` first gave something true.

    Args:
        log: file for what it says.

    Raises:
        ValueError: it ended otherwise; names the log.
    """
    taken, began = Taken(), time.perf_counter()
    with log.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said, env=dict(environment)) as job:
        looked = -LOOKS
        while job.poll() is None and not reached():
            if time.perf_counter() - began - looked >= LOOKS:
                _look(job.pid, taken)
                looked = time.perf_counter() - began
            time.sleep(EVERY)
        taken.seconds = time.perf_counter() - began
        if job.wait():
            raise ValueError(f"{' '.join(command[:4])} … ended with code {job.returncode}; {log} has what it said")
    return taken


def device_megabytes() -> float:
    """Memory in use on the first GPU, whosever it is; 0 without one."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0.0
    return float(said.split()[0])


def _look(pid: int, taken: Taken) -> None:
    """Take the most of what was seen before and what is seen now."""
    shares, processor = [], 0.0
    for process in _family(pid):
        try:
            sizes, times = process.memory_full_info(), process.cpu_times()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        shares.append(sizes.pss / 1e6)
        processor += times.user + times.system
        taken.resident = max(taken.resident, sizes.rss / 1e6)
    taken.tree, taken.processor = max(taken.tree, sum(shares)), max(taken.processor, processor)
    taken.device = max(taken.device, device_megabytes())


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
