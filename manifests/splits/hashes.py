"""The family of perceptual hashes, from which near-duplicates are told: its name, its columns, its rows as numbers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.parallel import in_parallel
from manifests.storage import read_columns

HASHES = "phash"  # the family; also what the names of its stats that are hashes begin with
COLOUR, STORED_BYTES = "colour", "stored_bytes"  # its other stats: what makes one copy better than another
GREY = 0.01  # colour below which a picture counts as grey
NONE = 0  # instead of a hash: of a flat picture; no hash has no bit set


def is_hash(column: str) -> bool:
    """Whether a column of the index holds bits, not an amount."""
    return column.startswith(HASHES)


class Worth(NamedTuple):
    """What makes one copy better than another: stored bytes [N] int64, and whether it is no grey picture [N] bool."""

    stored_bytes: NDArray[np.int64]
    coloured: NDArray[np.bool_]


def read_hashes(dataset: Dataset, names: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of the rows of these shards: [N, K], `NONE` where a row has none.

    Raises:
        ValueError: the family is not there, lacks one of the shards, or holds something else.
    """
    columns = [name for name in dataset.card(HASHES).stats if name.startswith(HASHES)]
    found = _read(dataset, names, columns)
    return np.stack([column.to_numpy() for column in found.columns], axis=1).view(np.uint64)


def read_worth(dataset: Dataset, names: Sequence[str]) -> Worth:
    """Of the rows of these shards what tells the best of a cluster; raises as `read_hashes` does."""
    found = _read(dataset, names, [STORED_BYTES, COLOUR])
    return Worth(found[STORED_BYTES].to_numpy().astype(np.int64), found[COLOUR].to_numpy() > GREY)


def _read(dataset: Dataset, names: Sequence[str], columns: Sequence[str]) -> pa.Table:
    """Some stats of the family's rows, 0 where there is none."""
    card = dataset.card(HASHES)
    todo = card.command(dataset.root)
    if not columns or {*columns} - {*card.stats}:
        raise ValueError(
            f"{dataset.root}: {HASHES} (of {card.annotator} v{card.version}) lacks {', '.join(columns) or 'hashes'}. "
            f"Make it again: {todo} --refresh"
        )
    if lacking := len(dataset.missing(HASHES, names)):
        raise ValueError(f"{dataset.root}: {lacking} shards of {HASHES} are missing. Make them: {todo}")

    def read(name: str) -> pa.Table:
        stats = read_columns(dataset.path(HASHES, name), ["stats"])["stats"]
        return pa.table({column: pc.fill_null(pc.struct_field(stats, column), 0) for column in columns})

    empty = pa.schema([(column, pa.type_for_alias(card.stats[column])) for column in columns]).empty_table()
    return pa.concat_tables([empty, *in_parallel(read, names)])
