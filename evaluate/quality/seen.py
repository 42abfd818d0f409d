"""What one network saw of one arm, sample by sample: the step from quality.parquet to numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.statistics import Array


@dataclass(frozen=True)
class SeenOf:
    """P pictures of N samples, a sample's draws one after the other.

    Attributes:
        keys: N, ascending.
        starts: [N] int64, where each sample's pictures begin.
        draws: [P] int32.
        features: [P, F] float64.
        values: [P] float64; NaN where the network has no score.
    """

    keys: list[str]
    starts: NDArray[np.int64]
    draws: NDArray[np.int32]
    features: Array
    values: Array

    @property
    def counts(self) -> NDArray[np.int64]:
        """[N] int64, pictures of each sample."""
        return np.diff(self.starts, append=len(self.features))

    def mean(self) -> Array:
        """Each sample's mean value over its draws: [N] float64."""
        return np.asarray(np.add.reduceat(self.values, self.starts) / self.counts, np.float64)

    def once(self) -> "SeenOf":
        """The first picture of each sample: all there is of an arm whose draws are the same picture."""
        few = self.starts
        return SeenOf(self.keys, np.arange(len(few)), self.draws[few], self.features[few], self.values[few])


def seen_of(rows: pa.Table, *, network: str, arm: str) -> SeenOf:
    """What a network saw of an arm.

    Args:
        rows: of quality.parquet, in any order.
    """
    wanted = pc.and_(pc.equal(rows["network"], network), pc.equal(rows["arm"], arm))
    chosen = rows.filter(wanted).sort_by([("key", "ascending"), ("draw", "ascending")])
    keys, starts = np.unique(np.asarray(chosen["key"].to_pylist(), str), return_index=True)
    flat = pc.list_flatten(chosen["features"]).to_numpy().astype(np.float64)
    return SeenOf(
        keys=keys.tolist(),
        starts=starts.astype(np.int64),
        draws=chosen["draw"].to_numpy(),
        features=flat.reshape(len(chosen), -1) if len(chosen) else np.empty((0, 0)),
        values=chosen["value"].cast(pa.float64()).to_numpy(),
    )


def check_paired(arms: Iterable[tuple[str, SeenOf]]) -> None:
    """Refuse arms that are not of the same samples.

    Raises:
        ValueError: One lacks a sample; says which.
    """
    (first, reference), *others = arms
    for arm, seen in others:
        unpaired = sorted(set(reference.keys) ^ set(seen.keys))
        if unpaired:
            raise ValueError(
                f"quality: sample {unpaired[0]} is in one of the arms '{first}' and '{arm}' alone. Delete the folder "
                "quality/ of the evaluation, and look again"
            )
