"""A cache bounded by bytes, whose values are made once however many threads ask for them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Values by key; those that were asked for longest ago go first.

    Args:
        room: bytes of all values together.
        weigh: bytes of one.
    """

    def __init__(self, room: int, weigh: Callable[[Value], int]) -> None:
        self._room = room
        self._weigh = weigh
        self._held: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._weights: dict[Hashable, int] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value, made by `make` if it is not held; what that raises is raised to all who wait, and not kept."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            else:
                waited: Future[Value] = Future()
                self._held[key] = waited
        if found is not None:
            return found.result()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._held[key]
            waited.set_exception(error)
            raise
        waited.set_result(value)
        self._weighed(key, self._weigh(value))
        return value

    @property
    def taken(self) -> int:
        """Bytes of what is held."""
        with self._lock:
            return sum(self._weights.values())

    def _weighed(self, key: Hashable, weight: int) -> None:
        """Note what a value weighs, and let others go until there is room; one that is being made stays."""
        with self._lock:
            self._weights[key] = weight
            for old in list(self._held):
                if sum(self._weights.values()) <= self._room:
                    break
                if old in self._weights:
                    del self._held[old], self._weights[old]
