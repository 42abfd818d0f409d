"""What is measured of a condition that came with the corpus, by its kind."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from annotate.provided.reading import Reading
from annotate.stats import of_classes, of_depth, of_edges, of_lines, of_people
from manifests.condition import NO_CLASS, Condition, Kind
from manifests.figures import Poses, Segments

EDGES = {"edge_density": pa.float32()}
HOLES = {"holes": pa.float32()}  # share of the pixels that the corpus left without a value
STATS: dict[Kind, dict[str, pa.DataType]] = {  # those of the annotators of that kind, and holes
    "binary": EDGES,
    "soft": EDGES,
    "depth": {"dynamic_range": pa.float32()} | HOLES,
    "normal": HOLES,
    "keypoints": {"persons": pa.int32(), "keypoints": pa.int32(), "largest_person": pa.float32()},
    "classes": {"classes": pa.int32(), "entropy": pa.float32()},
    "lines": {"lines": pa.int32()},
}
MEASURES: dict[Kind, Callable[[Any], dict[str, float]]] = {
    "binary": partial(of_edges, top=1.0),
    "soft": partial(of_edges, top=255.0),
    "depth": of_depth,
    "keypoints": of_people,
    "classes": of_classes,
    "lines": of_lines,
}


def stats_of(kind: Kind) -> dict[str, str]:
    """The stats of a kind as a family's card names them: name → Arrow type."""
    return {name: str(type_) for name, type_ in STATS.get(kind, {}).items()}


def measure(kind: Kind, reading: Reading, wanted: Collection[str]) -> dict[str, float]:
    """Those stats of one condition that the family's card names."""
    found = {"holes": reading.holes}
    if kind in MEASURES:
        found |= MEASURES[kind](reading.condition)
    return {name: found[name] for name in wanted}


def shows_nothing(kind: Kind, condition: Condition) -> bool:
    """Whether there is nothing in the condition: nobody, no line, no edge, no class, no depth to tell apart."""
    if isinstance(condition, Poses):
        return not condition.people
    if isinstance(condition, Segments):
        return not len(condition.lines)
    array = np.asarray(condition)
    if kind == "classes":
        return bool((array == NO_CLASS).all())
    if kind == "depth":
        return bool(array.min() == array.max())
    return kind in ("binary", "soft") and not array.any()
