"""Samples: the rows of the validation split that a run looks at while it trains, the same every time."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.manifest import Manifest
from manifests.subset import held_out
from manifests.training_set.gather import Families, gather_shard
from train.batches import decode_image
from train.further import draw_hints, read_further
from train.views import centre_square


@dataclass(frozen=True)
class Pair:
    """One picture of the validation split."""

    key: str
    caption: str
    image: NDArray[np.uint8]  # [H, W, 3] RGB
    hints: Tensor  # [K, 3, H, W] float32 in [0, 1]: of the condition, then of the further ones
    present: Tensor  # [K] float32 in {0, 1}: 0 where the row lacks the condition

    @property
    def hint(self) -> Tensor:
        """Of the condition that is asked for first: [3, H, W] float32 in [0, 1]."""
        return self.hints[0]


def validation_rows(manifest: Manifest, *, rows: int) -> pa.Table:
    """The first rows of the validation split, the same for all runs on a dataset and condition: key, shard, row."""
    return held_out(manifest, "validation", samples=rows, seed=0)


def validation_pairs(manifest: Manifest, *, rows: int) -> list[Pair]:
    """Read the first pictures of the validation split."""
    return read_pairs(manifest, validation_rows(manifest, rows=rows))


def read_pairs(manifest: Manifest, rows: pa.Table) -> list[Pair]:
    """Read pictures with their hints, centre crop.

    Args:
        rows: columns key, shard, row; the order is kept.
    """
    dataset = Dataset.open(manifest.dataset)
    kinds = [dataset.card(family).kind for family in manifest.conditions]
    families = Families(manifest.condition, manifest.captions)
    further = read_further(dataset, manifest.further_conditions, rows)
    size = manifest.resolution
    pairs = []
    for place in range(len(rows)):
        row = rows.slice(place, 1).append_column("position", [[0]])
        record = gather_shard(dataset, families, row["shard"][0].as_py(), row).to_pylist()[0]
        whole, first = decode_image(record["image"]["bytes"]), decode(kinds[0], record["condition"])
        square = centre_square(first.shape[:2], size)
        conditions = square.of_conditions(kinds, [first, *further[place]])
        caption = record["captions"][0] if record["captions"] else ""
        hints = draw_hints(kinds, conditions, resolution=size)
        pairs.append(Pair(record["key"], caption, square.of_picture(whole), *hints))
    return pairs
