"""A job: shards spread over a pool of Ray actors, until the disk says that none is missing."""

import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import ray.data
import ray.exceptions
from ray.data import ActorPoolStrategy, DataContext
from tqdm import tqdm

from annotate.place import in_job
from annotate.pool import Pool

ROOT = Path(__file__).resolve().parent.parent
EXCEPTION = re.compile(r"[\w.]*(Error|Exception)\S*: ")
ROUNDS = 3  # over the shards that are still missing: a lost node is no reason to stop


def connect(workers: int | None = None) -> None:
    """Join the cluster of this job or of RAY_ADDRESS, else start a Ray on this machine alone, of so many cores.

    Raises:
        ValueError: no cluster answers, or no Ray starts.
    """
    if ray.is_initialized():
        return
    where = "the job's" if in_job() else os.environ.get("RAY_ADDRESS", "a new one on this machine")
    try:
        _init(workers)
    except Exception as error:  # Ray raises ConnectionError, RuntimeError and bare Exception here
        why = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"Ray ({where}): {why[0]}. Mend or unset RAY_ADDRESS and RAY_AUTH_MODE, or try again on an idle machine"
        ) from error


def _init(workers: int | None) -> None:
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # Ray's own chatter stays in Ray's log files
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what goes wrong is told at the end, once
    with _hushed():
        ray.init(**_address(workers), log_to_driver=False, logging_level="ERROR")


def _address(workers: int | None) -> dict[str, Any]:
    """Where Ray is, or what a new one is like."""
    if in_job():  # the submitted working directory is everybody's already
        return {"address": "auto"}
    environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
    if os.environ.get("RAY_ADDRESS"):
        return {"address": os.environ["RAY_ADDRESS"], "runtime_env": environment}
    return {
        "address": "local",
        "num_cpus": max(os.cpu_count() or 1, workers or 1),
        "include_dashboard": False,
        "_node_ip_address": "127.0.0.1",  # nothing of it can be reached from outside
        "runtime_env": environment,
    }


@contextmanager
def _hushed() -> Iterator[None]:
    """Send what native code writes to stderr nowhere: Ray announces there that it has been told to be quiet."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Tally:
    """Counts rows for the driver's progress bar; an actor that needs no core."""

    def __init__(self) -> None:
        self.rows = 0

    def add(self, rows: int) -> None:
        """Count more rows."""
        self.rows += rows

    def total(self) -> int:
        """All rows so far."""
        return self.rows


def unchecked(name: str) -> None:
    """Let a shard pass."""


@dataclass(frozen=True)
class Goal:
    """What a job is to bring about.

    Attributes:
        what: shown beside the progress bar.
        rows: left to do, for that bar.
        missing: the shards that are not there, as the disk has it now.
        check: told of each shard that is through; may raise, which ends the job.
    """

    what: str
    rows: int
    missing: Callable[[], Sequence[str]]
    check: Callable[[str], None] = unchecked


def run_shards(worker: type, arguments: Mapping[str, Any], goal: Goal, pool: Pool) -> None:
    """Let actors make the missing shards; disk is the truth, what Ray returns is only a report.

    Args:
        worker: a class whose calls take {"shard": [name]} and return {"shard": [name], "trouble": [what went wrong]}.
        arguments: of its constructor; `tally` is added.

    Raises:
        ValueError: shards are still missing after three rounds; says what kept the first one.
    """
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = -1  # one shard of a slow detector may take hours
    tally = ray.remote(num_cpus=0)(Tally).remote()
    trouble: dict[str, str] = {}
    previous: list[str] = []
    with _followed(tally, goal.rows, goal.what):
        for _ in range(ROUNDS):
            names = list(goal.missing())
            if not names or (names == previous and all(trouble.get(name) for name in names)):
                break
            previous = names
            try:
                for name, why in _round(worker, {**arguments, "tally": tally}, names, pool):
                    trouble[name] = why
                    goal.check(name)
            except ray.exceptions.RayError as error:  # a worker that can't start, a cluster that is going away
                trouble |= dict.fromkeys(names, reason_of(error))
    left = list(goal.missing())
    if left:
        why = trouble.get(left[0]) or "its worker died"
        raise ValueError(f"{len(left)} shards could not be made; {left[0]}: {why}. Mend that, and start the job again")


def reason_of(error: Exception) -> str:
    """The line of Ray's report that names an exception; the last one if none does."""
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    return next((line for line in reversed(lines) if EXCEPTION.match(line)), lines[-1])


def _round(worker: type, arguments: Mapping[str, Any], names: Sequence[str], pool: Pool) -> Iterator[tuple[str, str]]:
    """One pass over shards, each as it is through with what went wrong, "" for nothing."""
    shards = ray.data.from_items([{"shard": name} for name in names], override_num_blocks=len(names))
    reports = shards.map_batches(
        worker,
        batch_size=1,
        compute=ActorPoolStrategy(
            size=min(pool.size(), len(names)),
            max_tasks_in_flight_per_actor=2,  # the next shard waits at its actor: Ray takes 0.15 s to send one
        ),
        fn_constructor_kwargs=dict(arguments),
        num_cpus=1,
        num_gpus=pool.gpus or None,
    )
    return ((report["shard"], report["trouble"]) for report in reports.iter_rows())


@contextmanager
def _followed(tally: Any, rows: int, what: str) -> Iterator[None]:
    """A bar with rate and time left that follows a tally; silent when nobody is looking."""
    with tqdm(total=rows, desc=what, unit="img", disable=not sys.stderr.isatty(), smoothing=0.05) as bar:
        stop = threading.Event()

        def follow() -> None:
            with suppress(ray.exceptions.RayError):  # the bar stands still when the tally is lost; the job goes on
                while not stop.wait(0.5):
                    bar.update(ray.get(tally.total.remote()) - bar.n)
                bar.update(ray.get(tally.total.remote()) - bar.n)

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        try:
            yield
        finally:
            stop.set()
            follower.join()
