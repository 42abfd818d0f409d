"""Whether what a job is going to write fits on the disk, asked before it writes anything."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc

from annotate.corpora.files import find, walk
from annotate.corpora.format import Corpus
from annotate.corpus import GENERATED
from annotate.task import Task
from manifests.condition import Kind
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import ROWS, read_index
from manifests.layout import IMAGES
from manifests.room import check_room

GENERATED_BYTES = 20_000  # of a generated picture with its exact conditions
# Bytes a pixel, measured at 512 pixels: Canny 0.047, HED 0.37, 16-bit depth 1.5; the rest is estimated.
PIXEL_BYTES: dict[Kind, float] = {"binary": 0.05, "soft": 0.4, "depth": 2.0, "normal": 1.5, "classes": 0.05}
JPEG_BYTES = 1.0  # a pixel of a picture made smaller; photographs take half of that
LATENT_BYTES = 0.25  # of a view's pixel: two moments of four channels in 16 bits, for 8 x 8 pixels
ROW_BYTES = 1_000  # of everything else in a row; keypoints, lines and text too
ASPECT = 4 / 3  # long side to short side


def check_ingest_room(dataset: Dataset, corpus: Corpus) -> None:
    """Make sure that the corpus's missing share fits; of a corpus on the Hub nothing is known.

    Raises:
        ValueError: It doesn't.
    """
    parts = {part for part, text in enumerate(dataset.corpora()) if text == str(corpus)}
    planned = [name for name in dataset.planned() if int(name[:2]) in parts]
    missing = {*dataset.missing(IMAGES)}.intersection(planned)
    if missing and isinstance(dataset.root, Path):
        needed = _corpus_bytes(corpus) * len(missing) // len(planned)
        if corpus.max_side:  # larger pictures are stored that large
            rows = len(missing) * dataset.settings.shard_rows
            needed = min(needed, round(rows * corpus.max_side**2 * JPEG_BYTES))
        check_room(dataset.root, needed, "Make room, give another folder, or shrink the pictures with --max-side")


def check_annotate_room(dataset: Dataset, tasks: Sequence[Task]) -> None:
    """Make sure that the conditions of the shards that lack them fit.

    Raises:
        ValueError: They don't.
    """
    rows = {task.family: len(dataset.missing(task.family)) * dataset.settings.shard_rows for task in tasks}
    needed = sum(rows[task.family] * row_bytes(dataset, task.card) for task in tasks if rows[task.family])
    check_room(dataset.root, round(needed), "Make room, lower --resolution, or make fewer families")


def row_bytes(dataset: Dataset, card: FamilyCard) -> float:
    """About what a row of a family takes, by its kind and its resolution."""
    pixels = card.resolution**2 * ASPECT if card.resolution else _mean_pixels(dataset)
    if card.kind == "latents":
        views = card.settings["crops"] * (1 + card.settings["flips"])
        return float(card.settings["size"] ** 2 * views * LATENT_BYTES + ROW_BYTES)
    return PIXEL_BYTES.get(card.kind, 0.0) * pixels + ROW_BYTES


def _mean_pixels(dataset: Dataset) -> float:
    sides = read_index(dataset, ROWS, ["width", "height"])
    return float(pc.mean(pc.multiply(pc.cast(sides["width"], "int64"), sides["height"])).as_py())


def _corpus_bytes(corpus: Corpus) -> int:
    """All that the corpus's files hold; 0 if it is not on this machine."""
    if corpus.format in GENERATED:
        return int(corpus.location) * GENERATED_BYTES
    folder = Path(corpus.location)
    files = walk(folder) if folder.is_dir() else map(Path, find(corpus.location, ""))
    return sum(path.stat().st_size for path in files if path.is_file())
