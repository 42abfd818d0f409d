"""The squares of a picture that training shows the network, for what it draws is such a square and no whole picture."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from annotate.hashing import perceptual_hash
from evaluate.leaks.trained import Trained
from evaluate.progress import Progress
from manifests.layout import IMAGES, ROW_GROUP
from manifests.parallel import ahead
from manifests.row_groups import read_rows
from manifests.splits.hamming import Hashes
from manifests.splits.hashes import NONE
from train.batches import decode_image

Picture = NDArray[np.uint8]
Result = TypeVar("Result")

# Training cuts its square anywhere between the two ends of a picture: of one of 4:3, none is more than 4 % of its side
# from one of these.
OFFSETS = (0.0, 0.25, 0.5, 0.75, 1.0)
READERS = 8  # threads, and row groups that are in memory at once


@dataclass(frozen=True)
class Cut:
    """How training cuts its squares.

    Attributes:
        annotated: short side, in pixels, that pictures were annotated at and are brought to; 0: their own.
        resolution: side of the square in pixels of such a picture.
    """

    annotated: int
    resolution: int

    @property
    def is_whole(self) -> bool:
        """Whether the square has the whole short side."""
        return 0 < self.annotated <= self.resolution

    def side(self, short: int) -> int:
        """Of the square in a stored picture, whose short side is given, pixels."""
        return round(short * min(1.0, self.resolution / (self.annotated or short)))

    def square(self, image: Picture, offset: float = 0.5) -> Picture:
        """A square of a picture [H, W, 3] uint8 RGB, so far between its ends both ways: [S, S, 3]."""
        height, width = image.shape[:2]
        side = self.side(min(height, width))
        top, left = round((height - side) * offset), round((width - side) * offset)
        return image[top : top + side, left : left + side]


def cut_of(trained: Trained) -> Cut:
    """As a run cut them."""
    return Cut(trained.dataset.card(trained.manifest.condition).resolution, trained.manifest.resolution)


def hashed(image: Picture) -> int:
    """The index's perceptual hash of a picture [H, W, 3] uint8 RGB, as an unsigned number; `NONE` of a flat one."""
    found = perceptual_hash(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8))
    return NONE if found is None else found % (1 << 64)


def hashes_of_squares(
    trained: Trained, whole: Hashes | None, *, most: int, progress: Progress
) -> tuple[NDArray[np.int64], Hashes]:
    """Hashes of the squares of the rows trained on; of a picture that is a square itself they are all its own.

    Args:
        whole: hashes of every row of the index, the whole picture's first, which spare reading square pictures.
        most: pictures that are read at most; of more, so many are drawn.
        progress: told how many of them are hashed.

    Returns:
        Places of the rows in the index [N], and their hashes [N, len(OFFSETS)].
    """
    cut, known = cut_of(trained), np.zeros(len(trained.places), bool)
    if whole is not None and cut.is_whole:
        height, width = (trained.index[side].to_numpy()[trained.places] for side in ("height", "width"))
        known = height == width
    places = np.concatenate([trained.places[known], some_of(trained.places[~known], most)])
    found = np.full((len(places), len(OFFSETS)), NONE, np.uint64)
    start = done = int(known.sum())
    if whole is not None:
        found[:start] = whole[places[:start], :1]
    progress(0, len(places) - start)
    for numbers, hashes in each_picture(trained, places[start:], partial(_hashes, cut)):
        found[start + numbers] = np.array(hashes, np.uint64)
        done += len(numbers)
        progress(done - start, len(places) - start)
    return places, found


def some_of(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of these places, drawn at random, in their order."""
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(0).choice(places, most, replace=False))


def each_picture(
    trained: Trained, places: NDArray[np.int64], work: Callable[[Picture], Result]
) -> Iterator[tuple[NDArray[np.int64], list[Result]]]:
    """Read the stored pictures of some rows, a row group at a time, and do something with each, in threads.

    Args:
        places: of the rows in the index, [N].
        work: of a picture [H, W, 3] uint8 RGB.

    Yields:
        Numbers of rows among the N, and what the work gave of each; in the order in which they lie in the dataset.
    """
    with ThreadPoolExecutor(READERS) as pool:
        yield from ahead(pool, partial(_read, trained, places, work), _groups(trained, places), READERS)


def _groups(trained: Trained, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Numbers of the rows, those of one row group of one shard together."""
    rows = trained.index.select(["shard", "row"]).take(pa.array(places))
    shards = rows["shard"].combine_chunks().dictionary_decode().dictionary_encode().indices.to_numpy()
    order = np.lexsort((rows["row"].to_numpy(), shards))
    groups = np.stack([shards[order], rows["row"].to_numpy()[order] // ROW_GROUP])
    starts = np.flatnonzero((np.diff(groups, axis=1) != 0).any(axis=0)) + 1
    return [group for group in np.split(order, starts) if len(group)]


def _read(
    trained: Trained, places: NDArray[np.int64], work: Callable[[Picture], Result], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[Result]]:
    rows = trained.index.select(["shard", "row"]).take(pa.array(places[numbers]))
    path = trained.dataset.path(IMAGES, rows["shard"][0].as_py())
    stored = read_rows(path, ["image"], rows["row"].to_numpy().astype(np.int32))["image"].to_pylist()
    return numbers, [work(decode_image(cell["bytes"])) for cell in stored]


def _hashes(cut: Cut, image: Picture) -> list[int]:
    return [hashed(cut.square(image, offset)) for offset in OFFSETS]
