"""Classes: how far the regions of each one lie over those asked for."""

import numpy as np
from numpy.typing import NDArray

from evaluate.measures.measure import SHARE, Adherence, Measure, Score, recall, with_value
from manifests.condition import NO_CLASS

Raster = NDArray[np.uint8]


def score_classes(asked: Raster, drawn: Raster) -> dict[str, Score]:
    """Score a class map. Pixels to which nobody has given a class are not asked for, whatever was drawn there.

    Args:
        asked: [H, W] uint8, indices from 0, `NO_CLASS` for none.
        drawn: [H, W] uint8, likewise.

    Returns:
        `miou`, the mean over the classes asked for of intersection by union, and `pixel_accuracy`; each in [0, 1].
    """
    given = asked != NO_CLASS
    asked, drawn = asked[given], drawn[given]
    both = np.bincount(asked[asked == drawn], minlength=NO_CLASS + 1)
    areas = np.bincount(asked, minlength=NO_CLASS + 1), np.bincount(drawn, minlength=NO_CLASS + 1)
    present = areas[0] > 0
    overlaps = both[present] / (areas[0] + areas[1] - both)[present]
    right = float(both.sum())
    counts = Score(0.0, right, float(np.count_nonzero(drawn != NO_CLASS)), right, float(asked.size))
    return {
        "miou": Score(float(overlaps.mean()) if len(overlaps) else 0.0),
        "pixel_accuracy": with_value(counts, recall(counts)),
    }


CLASSES = Adherence(
    version=1,
    score=score_classes,
    measures=(
        Measure("miou", "mean IoU of classes", SHARE, True, True, "Overlap of regions, every class asked for alike."),
        Measure("pixel_accuracy", "pixel accuracy", SHARE, True, False, "Pixels that have the class asked for."),
    ),
)
