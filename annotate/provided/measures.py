"""What is measured of a condition that came with the corpus, by its kind."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa

from annotate.provided.reading import Reading
from manifests.condition import NO_CLASS, Condition, Kind
from manifests.figures import Poses, Segments

STATS: dict[Kind, dict[str, pa.DataType]] = {
    "binary": {"edge_density": pa.float32()},
    "soft": {"edge_density": pa.float32()},
    "depth": {"holes": pa.float32()},
    "normal": {"holes": pa.float32()},
}


def stats_of(kind: Kind) -> dict[str, str]:
    """The stats of a kind as a family's card names them: name → Arrow type."""
    return {name: str(type_) for name, type_ in STATS.get(kind, {}).items()}


def measure(kind: Kind, reading: Reading, wanted: Collection[str]) -> dict[str, float]:
    """Those stats of one condition that the family's card names."""
    found = {"holes": reading.holes}
    if kind in ("binary", "soft"):
        top = 1.0 if kind == "binary" else 255.0
        found["edge_density"] = float(np.asarray(reading.condition).mean()) / top
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
