"""Drawn pictures that copy one trained on: nearer to it than chance has it, though the condition is of another."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.leaks.drawn import Drawn
from evaluate.leaks.nearest import FAR, Nearest, apart, nearest
from evaluate.leaks.rate import Rate, exchanged
from manifests.splits.hamming import Hashes

# Bits. Of 572 photographs of COCO, BSDS500 and CC12M none was 1 to 11 bits from another, by the squares of
# `evaluate.leaks.squares`; of squares cut out of them at random and blurred, 76 of 100 were at most 8 from their own.
WIDEST = 8
CHANCE = 0.01  # of the real pictures may be so near to one trained on without being a copy of it


@dataclass(frozen=True)
class Copy:
    """A picture drawn with control that copies one trained on.

    Attributes:
        key, draw: of the sample.
        row: place in the dataset's index of the row it copies.
        bits: between it and that row's picture.
        real: bits between that row's picture and the sample's own real one, from which the condition was made.
    """

    key: str
    draw: int
    row: int
    bits: int
    real: int


@dataclass(frozen=True)
class Copies:
    """What was found.

    Attributes:
        bits: a picture so near to one trained on, or nearer, is taken for a copy; -1: chance brings them as near.
        rows: of those trained on that the pictures were held against.
        drawn: samples with a copy among their pictures drawn with control.
        floor: the same of those drawn without control, which can't come of the training.
        explained: samples drawn as near to one trained on, whose own real picture is that near to it too: the condition
            asked for that very picture.
        p: that drawn and floor differ so by chance.
        distances: arm → how many pictures are so many bits from the nearest one trained on, from 0 to `FAR`.
    """

    bits: int
    rows: int
    drawn: Rate
    floor: Rate
    explained: Rate
    p: float
    distances: Mapping[str, tuple[int, ...]]
    copies: tuple[Copy, ...]

    @property
    def told(self) -> bool:
        """Whether there are more with control than without, by more than chance (5 %)."""
        return self.drawn.count > self.floor.count and self.p <= 0.05


def find_copies(pictures: Drawn, squares: Hashes, places: NDArray[np.int64], leaked: frozenset[str]) -> Copies:
    """Hold every drawn picture against those trained on.

    Args:
        squares: hashes of the rows trained on, [N, L].
        places: of these rows in the dataset's index, [N].
        leaked: keys of samples that were trained on themselves; they say nothing of chance.
    """
    found = {arm: nearest(hashes, squares) for arm, hashes in pictures.hashes.items()}
    bits = _near_by_chance(found["real"].bits[~np.isin(pictures.keys, sorted(leaked))])
    real = {arm: _from_real(pictures, squares, each) for arm, each in found.items()}
    near = {arm: each.bits.astype(int) <= bits for arm, each in found.items()}
    beyond = {arm: near[arm] & (real[arm].astype(int) > bits) for arm in found}
    of = len(np.unique(pictures.keys))
    drawn, floor = (set(pictures.keys[beyond[arm]].tolist()) for arm in ("drawn", "floor"))
    explained = set(pictures.keys[near["drawn"] & ~beyond["drawn"]].tolist())
    chosen = np.flatnonzero(beyond["drawn"])
    chosen = chosen[np.argsort(found["drawn"].bits[chosen], kind="stable")]
    return Copies(
        bits=bits,
        rows=len(places),
        drawn=Rate(len(drawn), of),
        floor=Rate(len(floor), of),
        explained=Rate(len(explained), of),
        p=exchanged(len(drawn - floor), len(floor - drawn)),
        distances={arm: tuple(np.bincount(each.bits, minlength=FAR + 1).tolist()) for arm, each in found.items()},
        copies=tuple(_copy(pictures, places, (found["drawn"], real["drawn"]), place) for place in chosen.tolist()),
    )


def _near_by_chance(bits: NDArray[np.uint8]) -> int:
    """The most bits, up to `WIDEST`, within which at most a share `CHANCE` of these pictures find one trained on."""
    shares = [float((bits <= distance).mean()) if len(bits) else 0.0 for distance in range(WIDEST + 1)]
    return max((distance for distance, share in enumerate(shares) if share <= CHANCE), default=-1)


def _from_real(pictures: Drawn, squares: Hashes, found: Nearest) -> NDArray[np.uint8]:
    """Bits between each sample's real picture and the one trained on that is nearest to its drawn one: [M]."""
    return apart(pictures.hashes["real"], squares[found.places])


def _copy(pictures: Drawn, places: NDArray[np.int64], found: tuple[Nearest, NDArray[np.uint8]], place: int) -> Copy:
    near, real = found
    row = int(places[near.places[place]])
    return Copy(str(pictures.keys[place]), int(pictures.draws[place]), row, int(near.bits[place]), int(real[place]))
