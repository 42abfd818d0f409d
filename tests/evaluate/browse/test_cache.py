"""The cache holds no more than it may, and makes nothing twice at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from evaluate.browse.cache import Cache


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    cache: Cache[bytes] = Cache(30, len)
    for key in "abc":
        cache.get(key, lambda: b"x" * 10)
    cache.get("a", lambda: pytest.fail("it is held"))
    cache.get("d", lambda: b"x" * 10)
    assert cache.taken == 30
    cache.get("a", lambda: pytest.fail("it is held"))
    made = []
    cache.get("b", lambda: made.append("b") or b"x")
    assert made == ["b"]


def test_what_is_too_big_is_given_but_not_kept() -> None:
    cache: Cache[bytes] = Cache(30, len)
    assert len(cache.get("a", lambda: b"x" * 99)) == 99
    assert cache.taken == 0


def test_many_who_ask_at_once_wait_for_one() -> None:
    cache: Cache[bytes] = Cache(30, len)
    made = []

    def make() -> bytes:
        made.append(threading.get_ident())
        time.sleep(0.05)
        return b"x"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: cache.get("a", make), range(8))) == {b"x"}
    assert len(made) == 1


def test_a_failure_is_told_and_not_kept() -> None:
    cache: Cache[bytes] = Cache(30, len)

    def fail() -> bytes:
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        cache.get("a", fail)
    assert cache.get("a", lambda: b"x") == b"x"
