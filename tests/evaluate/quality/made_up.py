"""Rows of quality.parquet without a network: features and scores as they are given."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluate.quality.look import SCHEMA
from evaluate.quality.seen import SeenOf, seen_of

Features = NDArray[np.float64]  # [N, D, F]: samples, draws


def rows_of(network: str, arms: Mapping[str, Features], *, scores: Mapping[str, Features] | None = None) -> pa.Table:
    """Rows of arms [N, D, F] each; `scores` are [N, D], NaN for none."""
    rows = []
    for arm, features in arms.items():
        for place, draws in enumerate(features):
            for draw, seen in enumerate(draws):
                value = float(scores[arm][place, draw]) if scores else np.nan
                rows.append(
                    {
                        "key": f"{place:08d}",
                        "draw": draw,
                        "arm": arm,
                        "network": network,
                        "features": seen.astype(np.float32),
                        "value": None if np.isnan(value) else value,
                    }
                )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def seen(features: Features) -> SeenOf:
    """What was seen of one arm: [N, D, F]."""
    return seen_of(rows_of("a", {"b": features}), network="a", arm="b")
