"""Whether a family has said something of every row of its dataset: if not, nobody draws from it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.dataset import Dataset
from manifests.index import ROWS, covering_path, index_schema, read_index
from manifests.storage import read_metadata


def check_whole(dataset: Dataset, family: str, parts: Sequence[int] | None = None) -> None:
    """Ask the footers of the index.

    Args:
        parts: that are drawn from; None: all.

    Raises:
        ValueError: The family does not cover all rows, up to the last of these parts; says how to finish it.
    """
    rows, covered = (_indexed(dataset, name, parts) for name in (ROWS, family))
    wanted = rows if parts is None or covered == rows else _until(dataset, parts)
    if not wanted <= covered <= rows:
        raise ValueError(
            f"{dataset.root}: {family} covers {covered} of {wanted} rows. "
            f"Finish it: {dataset.card(family).command(dataset.root)}"
        )


def _indexed(dataset: Dataset, name: str, parts: Sequence[int] | None) -> int:
    index_schema(dataset, name, parts=parts)
    return read_metadata(covering_path(dataset, name, parts)).num_rows


def _until(dataset: Dataset, parts: Sequence[int]) -> int:
    """How many rows there are up to the last one of these parts."""
    of = read_index(dataset, ROWS, ["part"])["part"]
    inside = np.flatnonzero(pc.is_in(of, pa.array(parts, pa.int32())).to_numpy())
    return int(inside[-1]) + 1 if len(inside) else 0
