"""Playroom pictures with their truth, as arrays to train and judge a detector on, drawn once and kept in a file."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.corpora import playroom
from manifests.figures import BODY

PEOPLE = 3  # a playroom has no more things
WORKERS = 2
VERSION = 2  # of pictures and truth: bump when either changes, so that those in a cache are drawn anew
TRAIN_SEED, TEST_SEED = 1_000_003, 1_000_033  # apart from each other, and from the seeds that corpora are made with


@dataclass(frozen=True)
class Pictures:
    """N pictures and what is true of them."""

    images: NDArray[np.uint8]  # [N, 128, 128, 3] RGB
    depth: NDArray[np.float32]  # [N, 128, 128] inverse depth, 1/m
    classes: NDArray[np.uint8]  # [N, 128, 128] indices into playroom.CLASSES
    people: NDArray[np.float32]  # [N, 3, 18, 3] x, y in pixels, score; 0 where there is no such joint or person

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.images)


def load_pictures(rows: int, *, seed: int, cache: Path) -> Pictures:
    """The first `rows` pictures of a seed; from a file in `cache` if they were drawn before."""
    file = cache / f"playroom-{VERSION}-{seed}-{rows}.npz"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        pictures = draw_pictures(rows, seed=seed)
        aside = file.with_suffix(".partial")
        with aside.open("wb") as stream:
            np.savez(stream, **{field.name: getattr(pictures, field.name) for field in fields(Pictures)})
        aside.rename(file)
    with np.load(file) as arrays:
        return Pictures(**{field.name: arrays[field.name] for field in fields(Pictures)})


def draw_pictures(rows: int, *, seed: int) -> Pictures:
    """Draw the first `rows` pictures of a seed."""
    with ProcessPoolExecutor(WORKERS) as pool:
        drawn = list(pool.map(partial(_draw, seed), range(rows), chunksize=64))
    return Pictures(*(np.stack(column) for column in zip(*drawn, strict=True)))


def _draw(seed: int, row: int) -> tuple[NDArray[Any], ...]:
    record = playroom.record(seed, row)
    people = np.zeros((PEOPLE, BODY, 3), np.float32)
    for number, person in enumerate(record.truth["truth_openpose"].condition.people):
        people[number] = person
    depth, classes = (np.asarray(record.truth[f"truth_{name}"].condition) for name in ("depth", "segmentation"))
    return record.image, depth, classes, people
