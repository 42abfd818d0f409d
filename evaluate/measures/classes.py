"""Classes: how far the regions of each one lie over those asked for."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluate.measures.measure import SHARE, Adherence, Measure, Pooled, Score, Weights, recall, with_value
from manifests.condition import NO_CLASS

Raster = NDArray[np.uint8]
Areas = NDArray[np.float64]  # [N, C] pixels of each class, or [C]


def score_classes(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score a class map. Pixels to which nobody has given a class are not asked for, whatever was drawn there.

    Args:
        asked: [H, W] uint8, indices from 0, `NO_CLASS` for none.
        drawn: [H, W] uint8, likewise.

    Returns:
        `miou`, the mean over the classes asked for of intersection by union; `miou_all`, over all classes that either
        has, with what of a set's is made from it as evidence; `pixel_accuracy`; each in [0, 1].
    """
    given = asked != NO_CLASS
    asked, drawn = asked[given], drawn[given]
    both, wanted, found = (
        np.bincount(classes, minlength=NO_CLASS + 1)[:NO_CLASS].astype(np.float64)
        for classes in (asked[asked == drawn], asked, drawn)
    )
    union = wanted + found - both
    right = float(both.sum())
    counts = Score(0.0, right, float(found.sum()), right, float(asked.size))
    there = np.flatnonzero(union)
    areas = {"class": there.astype(np.float64), "both": both[there], "asked": wanted[there], "drawn": found[there]}
    return {
        "miou": Score(_mean_overlap(both, union, wanted > 0)),
        "miou_all": Score(_mean_overlap(both, union, union > 0), evidence=areas),
        "pixel_accuracy": with_value(counts, recall(counts)),
    }


def _mean_overlap(both: Areas, union: Areas, counted: NDArray[np.bool_]) -> float:
    """Mean over the classes that count, each of `both` by `union`; 0 if none does."""
    return float((both[counted] / union[counted]).mean()) if counted.any() else 0.0


def pool_overlap(rows: pa.Table) -> Pooled:
    """Mean IoU of a set of pictures: areas added up over all of them, then the mean over the classes that are there.

    As mmseg's IoUMetric has it (`nanmean` over the classes of the set). It grows with the set at equal quality, since
    a rare class that is drawn where none is asked counts 0: never compare sets of different sizes.

    Args:
        rows: N rows of scores.parquet, of `miou_all`.
    """
    both, union = overlaps(rows)

    def of(weights: Weights) -> NDArray[np.float64]:
        shared, covered = weights @ both, weights @ union
        there = covered > 0
        each = np.divide(shared, covered, out=np.zeros_like(shared), where=there)
        return np.asarray(each.sum(axis=1) / np.maximum(there.sum(axis=1), 1))

    return of


def overlaps(rows: pa.Table) -> tuple[Areas, Areas]:
    """Intersections and unions of every class: two of [N, C] float64 pixels, C classes from 0."""
    both, union = np.zeros((len(rows), NO_CLASS)), np.zeros((len(rows), NO_CLASS))
    for row, evidence in enumerate(rows["evidence"].to_pylist()):
        areas: Mapping[str, list[float]] = dict(evidence)
        classes = np.array(areas["class"], np.intp)
        both[row, classes] = areas["both"]
        union[row, classes] = np.array(areas["asked"]) + np.array(areas["drawn"]) - np.array(areas["both"])
    used = int(np.flatnonzero(union.any(axis=0)).max(initial=-1)) + 1
    return both[:, :used], union[:, :used]


CLASSES = Adherence(
    version=2,
    score=score_classes,
    likeness=lambda asked, drawn: score_classes(asked, drawn)["miou_all"].value,
    measures=(
        Measure("miou", "mean IoU of classes", SHARE, True, True, "Overlap of regions, every class asked for alike."),
        Measure(
            "miou_all", "mean IoU of the whole set", SHARE, True, False, "Overlap, areas added up.", pool=pool_overlap
        ),
        Measure("pixel_accuracy", "pixel accuracy", SHARE, True, False, "Pixels that have the class asked for."),
    ),
)
