"""The salted hash of many strings at once: it decides a row's split, and its place in a draw."""

from hashlib import sha256

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.sql import compute


def salted(values: pa.ChunkedArray, salt: str) -> NDArray[np.uint64]:
    """The first 64 bits of sha256(f"{salt}:{value}") of every value: [N] uint64."""
    return compute("CAST('0x' || substr(sha256(? || ':' || value), 1, 16) AS UBIGINT)", values, salt)


def salted_order(values: pa.ChunkedArray, salt: str) -> NDArray[np.int64]:
    """Positions of the values by ascending sha256(f"{salt}:{value}"), all 256 bits; equal values stay in order."""
    return settle(salted(values, salt), values, salt)


def settle(hashes: NDArray[np.uint64], values: pa.ChunkedArray, salt: str) -> NDArray[np.int64]:
    """Positions by ascending hash; where the first bits are equal, the whole hash decides.

    Args:
        hashes: [N], the first bits of each value's hash, however many.
    """
    order = np.argsort(hashes, kind="stable")
    equal = hashes[order][1:] == hashes[order][:-1]
    tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal)) if equal.any() else np.arange(0)
    if len(tied):
        among = order[tied]
        digests = [sha256(f"{salt}:{value}".encode()).digest() for value in values.take(pa.array(among)).to_pylist()]
        order[tied] = among[sorted(range(len(tied)), key=digests.__getitem__)]
    return order
