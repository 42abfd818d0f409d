"""What shards say of single rows: only the row groups that hold them are read, and the last ones are kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluate.browse.cache import Cache
from evaluate.browse.held import Held
from manifests.index import ROWS
from manifests.layout import IMAGES
from manifests.parallel import in_parallel
from manifests.row_groups import row_group_ends
from manifests.storage import open_table, read_metadata

ROOM = 256 << 20  # bytes of row groups; one of photographs has some 13 MB
ROOM_FOR_ENDS = 1 << 20  # bytes; a shard has some dozens
UNREADABLE = (OSError, ValueError, KeyError, IndexError)  # a shard that is gone, torn, or of other columns


class Shards:
    """Reads rows of what is held."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._ends: Cache[NDArray[np.int64]] = Cache(ROOM_FOR_ENDS, lambda ends: ends.nbytes)
        self._groups: Cache[pa.Table] = Cache(ROOM, lambda table: int(table.nbytes))

    def read(self, family: str, place: int, columns: Sequence[str]) -> dict[str, Any]:
        """Some columns of a row of a family.

        Raises:
            ValueError: the shard is gone, damaged or not the one that was indexed.
        """
        rows = self._held.tables[ROWS]
        shard, row, key = (rows[name][place].as_py() for name in ("shard", "row", "key"))
        path = self._held.dataset.path(family, shard)

        def read_ends() -> NDArray[np.int64]:
            return row_group_ends(read_metadata(path))

        def read_group() -> pa.Table:
            with open_table(path) as file:
                return file.read_row_group(group, ["key", *columns])

        try:
            ends = self._ends.get((family, shard), read_ends)
            group = int(np.searchsorted(ends, row, side="right"))
            start = int(ends[group - 1]) if group else 0
            table = self._groups.get((family, shard, group, *columns), read_group)
            found: dict[str, Any] = table.slice(row - start, 1).to_pylist()[0]
        except UNREADABLE as error:
            raise ValueError(f"{family}/{shard}: row {row} cannot be read: {error}") from error
        if found["key"] != key:
            raise ValueError(f"{family}/{shard}: row {row} is another than the index says. Build it again: index.py")
        return found

    def captions(self, places: Sequence[int]) -> list[tuple[str, ...]]:
        """Captions of some rows, the corpus's; what is wrong with the shard where it cannot be read."""
        return list(in_parallel(self._captions, places))

    def words(self, family: str, places: Sequence[int]) -> list[str]:
        """Words of some rows of a family of words; "" where there are none."""
        return list(in_parallel(lambda place: self._words(family, place), places))

    def _captions(self, place: int) -> tuple[str, ...]:
        try:
            return tuple(self.read(IMAGES, place, ["captions"])["captions"] or ())
        except ValueError as error:
            return (f"[{error}]",)

    def _words(self, family: str, place: int) -> str:
        try:
            cell = self.read(family, place, ["condition"])["condition"]
        except ValueError as error:
            return f"[{error}]"
        return str(cell["text"]) if cell else ""
