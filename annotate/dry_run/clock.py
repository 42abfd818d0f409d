"""Where a worker's time goes, by run of rows, stage and family; its work is that of any worker."""

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate, islice
from typing import Any, NamedTuple

from annotate.annotator import Condition, Parameters
from annotate.batches import Inputs, bucketed
from annotate.rows import Row, finish
from annotate.shard import Bound
from annotate.task import Task

DECODE, MODEL, ENCODE = "decode", "model", "encode"
SHARED = ""  # in the place of a family: of what all of them share


class Stretch(NamedTuple):
    """What time is spent on: a run of rows, a stage, and a family, or `SHARED`."""

    run: int
    stage: str
    family: str


@dataclass(frozen=True)
class Said:
    """Why a row of a family failed; `message` is what a decoder or a detector said of it, and may hold anything."""

    family: str
    key: str
    code: str
    error: str
    message: str


@dataclass
class Clock:
    """Times the work over a shard that consists of runs of rows, one after another.

    Attributes:
        runs: how many rows each has.
        run: whose batch is being annotated.
        said: of faults.
        spent: seconds by run, stage and family, one entry for each piece of work: several threads append to it.
    """

    runs: Sequence[int]
    run: int = 0
    said: list[Said] = field(default_factory=list)
    spent: list[tuple[Stretch, float]] = field(default_factory=list)

    def seconds(self) -> dict[Stretch, float]:
        """What was spent, summed."""
        total: defaultdict[Stretch, float] = defaultdict(float)
        for stretch, seconds in self.spent:
            total[stretch] += seconds
        return dict(total)

    def batched(self, rows: Iterable[Inputs], *, size: int) -> Iterator[list[Inputs]]:
        """Batches of each run by itself, as they are where its rows come from."""
        given = iter(rows)
        for number, count in enumerate(self.runs):
            for batch in bucketed(islice(given, count), size):
                self.run = number
                yield batch

    def timed(self, one: Bound) -> Bound:
        """An annotator whose calls are timed."""

        def annotate(read: Any, parameters: Sequence[Parameters]) -> list[Condition]:
            with self._timing(self.run, MODEL, one.task.family):
                return one.annotate(read, parameters)

        return replace(one, annotate=annotate)

    def decode(self, read: Callable[[int], Inputs], row: int) -> Inputs:
        """Read a row, timed."""
        with self._timing(bisect_right(list(accumulate(self.runs)), row), DECODE, SHARED):
            return read(row)

    def encode(self, run: int, task: Task, *given: Any) -> Row:
        """Finish a row of a family, timed."""
        with self._timing(run, ENCODE, task.family):
            row = finish(task, *given)
        if row["status"] == "failed":
            self.said.append(Said(task.family, row["key"], row["code"], row["error"], row["said"]))
        return row

    @contextmanager
    def _timing(self, *stretch: Any) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent.append((Stretch(*stretch), time.perf_counter() - began))


class Timed(Executor):
    """Passes on what `annotate.shard` hands to its helpers, rows to decode and conditions to finish, to be timed."""

    def __init__(self, clock: Clock, helpers: Executor) -> None:
        self.clock, self.helpers = clock, helpers

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> "Future[Any]":
        """Pass one piece of work on."""
        if work is finish:
            return self.helpers.submit(self.clock.encode, self.clock.run, *given)
        return self.helpers.submit(self.clock.decode, work, *given)
