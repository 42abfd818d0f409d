"""Every random draw of training is a function of (seed, key, epoch), so no generator has a state to lose."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Choices:
    """What is drawn for one sample in one epoch: numbers in [0, 1), turned into choices by whoever uses them."""

    top: float  # where the crop lies between the upper and the lower end
    left: float
    caption: float  # which of the captions
    prompt: float  # the prompt is dropped when this lies below the rate
    timestep: float
    flip: float  # the sample is mirrored when this lies below the rate
    view: float  # which of the views that were encoded beforehand


def choices(seed: int, key: str, epoch: int) -> Choices:
    """Draw the choices of one sample; another epoch draws others."""
    return Choices(*(float(value) for value in _generator(seed, key, epoch, "choices").random(7)))


def normal(seed: int, key: str, epoch: int, *, purpose: str, shape: tuple[int, ...]) -> Tensor:
    """Draw standard normal noise, float32 of `shape`; each `purpose` has a stream of its own."""
    return torch.from_numpy(_generator(seed, key, epoch, purpose).standard_normal(shape, dtype=np.float32))


def share(seed: int, key: str, epoch: int, *, purpose: str) -> float:
    """Draw a number in [0, 1); each `purpose` has a stream of its own."""
    return float(_generator(seed, key, epoch, purpose).random())


def kept(there: Sequence[bool], draws: Sequence[float], *, rate: float) -> list[bool]:
    """Choose which of a row's conditions a sample shows to one net over all of them.

    Each is left out by a draw of its own, as in Uni-ControlNet (Zhao et al. 2023), so that the net learns to do with
    any of them; but never all: such a sample would teach nothing of control. (There it is one in ten, for an adapter
    that is used alone.) The one whose draw is highest then stays, so that of two conditions each is left out at
    `rate` - `rate`² / 2, and a single one never.

    Args:
        there: whether the row has it, for each condition.
        draws: in [0, 1), for each condition.
        rate: in [0, 1].
    """
    last = max((place for place, has in enumerate(there) if has), key=lambda place: draws[place], default=-1)
    return [has and (place == last or draws[place] >= rate) for place, has in enumerate(there)]


def row_at(number: int, *, rows: int, seed: int) -> tuple[int, int]:
    """Find the row that stands at a place of the endless sequence of samples.

    Args:
        number: 0 for the first sample of the run; every `rows` samples are one epoch, in an order of its own.

    Returns:
        The row in [0, rows), the epoch.
    """
    epoch, place = divmod(number, rows)
    return int(_order(rows, seed, epoch)[place]), epoch


@lru_cache(maxsize=2)  # a batch may lie across two epochs
def _order(rows: int, seed: int, epoch: int) -> np.ndarray:
    return _generator(seed, "order", epoch, str(rows)).permutation(rows)


def _generator(seed: int, key: str, epoch: int, purpose: str) -> np.random.Generator:
    digest = sha256(f"{seed}:{key}:{epoch}:{purpose}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
