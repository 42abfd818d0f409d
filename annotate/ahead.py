"""Work done a little ahead of whoever waits for it, in order and in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class InTurn(Executor):
    """An executor without threads, which does the work when it is handed in."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> "Future[Any]":
        """Do the work now."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **named))
        except Exception as error:  # as any executor, it hands the error to whoever asks for the result
            done.set_exception(error)
        return done


def helpers(threads: int) -> Executor:
    """So many threads, or none: the same work in turn."""
    return ThreadPoolExecutor(threads) if threads else InTurn()


def ahead(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], depth: int) -> Iterator[Result]:
    """Results in order of the items, at most `depth` of them being made before they are asked for."""
    running: deque[Future[Result]] = deque()
    for item in items:
        running.append(pool.submit(work, item))
        if len(running) >= depth:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()
