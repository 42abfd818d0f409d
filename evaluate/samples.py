"""Reads test samples: a picture and the condition asked for, cut to the square that the base draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from annotate.annotator import Parameters
from manifests.condition import Condition, decode
from manifests.dataset import Dataset
from manifests.evaluate_settings import Geometry
from manifests.figures import Size
from manifests.layout import IMAGES
from manifests.row_groups import read_rows
from manifests.training_set.gather import OWN, WORDS, as_captions
from train.batches import decode_image
from train.further import read_further
from train.views import Square, centre_square, whole_square

Item = TypeVar("Item")


@dataclass(frozen=True)
class Sample:
    """One test sample.

    Attributes:
        captions: the corpus's or an annotator's; draw d uses number d, round in a circle.
        image: [R, R, 3] uint8 RGB, the real picture.
        condition: of that square, as `manifests.condition.decode` gives it; the one asked for.
        parameters: those the annotator drew for the row.
        further: of the same square, of each further family; None where the row has none.
        truth: what is true of the same square; None where that is not known.
    """

    key: str
    captions: tuple[str, ...]
    image: NDArray[np.uint8]
    condition: Condition
    parameters: Parameters
    further: tuple[Condition | None, ...] = ()
    truth: Condition | None = None

    def caption(self, draw: int) -> str:
        """The caption of one draw."""
        return self.captions[draw % len(self.captions)] if self.captions else ""


@dataclass(frozen=True)
class Wanted:
    """What is read of a dataset's rows.

    Attributes:
        family: of the condition.
        resolution: R, pixels.
        further: families whose conditions are shown beside it, in the order in which a control was trained on them.
        captions: family whose words replace the corpus's captions.
        geometry: "centre": the square is cut out of the middle; "squash": it is the whole picture.
        truth: family that came with the corpus and is right; "": there is none.
        place: of the condition among all that are shown, in that order.
    """

    family: str
    resolution: int
    further: tuple[str, ...] = ()
    captions: str = OWN
    geometry: Geometry = "centre"
    truth: str = ""
    place: int = 0

    def in_order(self, condition: Item, further: Sequence[Item]) -> list[Item]:
        """What is said of the condition and of the further ones, in the order in which a control was trained."""
        return [*further[: self.place], condition, *further[self.place :]]

    def square(self, size: Size) -> Square:
        """The square of a picture whose condition has this height and width."""
        return centre_square(size, self.resolution) if self.geometry == "centre" else whole_square(self.resolution)


def read_samples(dataset: Dataset, wanted: Wanted, places: pa.Table) -> list[Sample]:
    """Read the samples at some places of a dataset.

    Args:
        places: columns key, shard, row; the order is kept.
    """
    beside = (*wanted.further, *([wanted.truth] if wanted.truth else []))
    kinds = [dataset.card(family).kind for family in (wanted.family, *beside)]
    cells = _read_cells(dataset, wanted.family, places, wanted.captions)
    samples = []
    for place, others in zip(places.to_pylist(), read_further(dataset, beside, places), strict=True):
        image, condition = cells[place["shard"], place["row"]]
        assert image["key"] == condition["key"] == place["key"], "a family's rows are those of images/"
        whole, first = decode_image(image["image"]["bytes"]), decode(kinds[0], condition["condition"])
        square = wanted.square(first.shape[:2])
        own = square.of_condition(kinds[0], first)
        cut = square.of_conditions(kinds[1:], others)
        further, truth = tuple(cut[: len(wanted.further)]), next(iter(cut[len(wanted.further) :]), None)
        parameters = condition.get("parameters") or {}
        picture = square.of_picture(whole)
        samples.append(Sample(place["key"], tuple(image["captions"]), picture, own, parameters, further, truth))
    return samples


def _read_cells(
    dataset: Dataset, family: str, places: pa.Table, captions: str
) -> dict[tuple[str, int], tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of images/ and of the condition's family, by shard and row."""
    wanted = places.to_pylist()
    cells: dict[tuple[str, int], tuple[dict[str, Any], dict[str, Any]]] = {}
    for shard in sorted({place["shard"] for place in wanted}):
        rows = sorted({place["row"] for place in wanted if place["shard"] == shard})
        images = read_rows(dataset.path(IMAGES, shard), ["key", "captions", "image"], rows).to_pylist()
        conditions = read_rows(dataset.path(family, shard), ["key", "condition", "parameters"], rows).to_pylist()
        if captions != OWN:
            said = read_rows(dataset.path(captions, shard), WORDS, rows).to_pylist()
            images = [image | {"captions": as_captions(words)} for image, words in zip(images, said, strict=True)]
        cells |= {(shard, row): pair for row, pair in zip(rows, zip(images, conditions, strict=True), strict=True)}
    return cells
