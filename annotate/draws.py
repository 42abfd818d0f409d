"""Where what is drawn at random for a row comes from: its key and a seed, and nothing else."""

from hashlib import sha256

import numpy as np


def generator(seed: int, seed_key: str) -> np.random.Generator:
    """The same numbers for the same row, whatever its place, its shard or the worker that makes it."""
    return np.random.default_rng(int.from_bytes(sha256(f"{seed}:{seed_key}".encode()).digest()[:16], "big"))
