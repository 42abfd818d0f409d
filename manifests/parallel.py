"""The same work for many items at a time, its results in the order of the items: reading is mostly waiting."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

READERS = 16  # threads; a read from an object store is a round trip of some 50 ms in which nothing is computed
DEPTH = 4 * READERS


def usable_cores() -> int:
    """Cores that this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results of `work`, done in threads; the first error ends it."""
    pool = ThreadPoolExecutor(READERS)
    try:
        yield from ahead(pool, work, items, DEPTH)
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], depth: int) -> Iterator[Result]:
    """Results in order of the items, at most `depth` of them being made before they are asked for."""
    running: deque[Future[Result]] = deque()
    for item in items:
        running.append(pool.submit(work, item))
        if len(running) >= depth:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()
