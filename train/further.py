"""Further conditions: what a manifest shows beside its first condition, where a row has it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from manifests.condition import Condition, Kind, decode
from manifests.dataset import Dataset
from manifests.row_groups import read_rows
from train.hints import hint

COLUMNS = ("key", "status", "condition")


def read_further(dataset: Dataset, families: Sequence[str], places: pa.Table) -> list[list[Condition | None]]:
    """Read the conditions of some families at some rows.

    Args:
        places: columns key, shard, row.

    Returns:
        For each row one of each family, as `manifests.condition.decode` gives it; None where it has none that is ok.
    """
    kinds = [dataset.card(family).kind for family in families]
    shards, rows = np.array(places["shard"].to_pylist()), places["row"].to_numpy()
    found: list[list[Condition | None]] = [[None] * len(families) for _ in range(len(places))]
    for shard in np.unique(shards).tolist() if families else []:
        here = np.flatnonzero(shards == shard)
        for column, family in enumerate(families):
            cells = read_rows(dataset.path(family, shard), COLUMNS, rows[here])
            assert cells["key"].to_pylist() == places["key"].take(pa.array(here)).to_pylist(), "families are aligned"
            for place, cell in zip(here.tolist(), cells.to_pylist(), strict=True):
                if cell["status"] == "ok":
                    found[place][column] = decode(kinds[column], cell["condition"])
    return found


def draw_hints(
    kinds: Sequence[Kind], conditions: Sequence[Condition | None], *, resolution: int
) -> tuple[Tensor, Tensor]:
    """Draw the conditions of one row, black where there is none.

    Args:
        kinds: K of them.
        conditions: K of them, square.
        resolution: side of the square in pixels.

    Returns:
        [K, 3, resolution, resolution] float32 in [0, 1], and [K] float32 in {0, 1}: 0 where there is none.
    """
    black = torch.zeros(3, resolution, resolution)
    drawn = [black if each is None else hint(kind, each) for kind, each in zip(kinds, conditions, strict=True)]
    return torch.stack(drawn), torch.tensor([float(each is not None) for each in conditions])
