"""Hashes of what an evaluation drew, with control and without, and of the real pictures beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from evaluate.leaks.squares import hashed
from evaluate.pictures import PICTURES_FOLDER, decode
from manifests.parallel import in_parallel
from manifests.splits.hamming import Hashes
from manifests.splits.hashes import NONE

SHOWN = ("drawn", "floor", "real")  # panels


@dataclass(frozen=True)
class Drawn:
    """The pictures of an evaluation, one row for each sample and draw.

    Attributes:
        keys: [M], of the samples.
        draws: [M], which draw of the sample.
        hashes: panel (`SHOWN`) → [M, 2]: of the picture, and of its mirror image or `NONE`.
    """

    keys: NDArray[np.str_]
    draws: NDArray[np.int64]
    hashes: dict[str, Hashes]


class _Row(NamedTuple):
    key: str
    draw: int
    hashes: tuple[tuple[int, int], ...]  # of `SHOWN`


def hash_drawn(folder: Path, *, mirrored: bool) -> Drawn:
    """Hash the pictures of an evaluation.

    Args:
        mirrored: whether the run was trained on mirrored pictures too, and may have learned these by heart.

    Raises:
        ValueError: There are none.
    """
    files = sorted((folder / PICTURES_FOLDER).glob("*.parquet"))
    rows = sorted(row for some in in_parallel(lambda path: _hash_file(path, mirrored), files) for row in some)
    if not rows:
        raise ValueError(
            f"{folder}: there are no pictures of an evaluation. Make one: python pipelines/evaluate.py RUN"
        )
    hashes = np.array([row.hashes for row in rows], np.uint64)
    return Drawn(
        keys=np.array([row.key for row in rows]),
        draws=np.array([row.draw for row in rows]),
        hashes={panel: hashes[:, place] for place, panel in enumerate(SHOWN)},
    )


def _hash_file(path: Path, mirrored: bool) -> Sequence[_Row]:
    cells = pq.read_table(path, columns=["key", "draw", *SHOWN]).to_pylist()
    return [
        _Row(cell["key"], cell["draw"], tuple(_both(cell[panel]["bytes"], mirrored) for panel in SHOWN))
        for cell in cells
    ]


def _both(data: bytes, mirrored: bool) -> tuple[int, int]:
    picture = decode(data)
    return hashed(picture), hashed(np.ascontiguousarray(picture[:, ::-1])) if mirrored else NONE
