"""Who does the work ahead of a model: so many threads, or nobody but the one that asks."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


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
