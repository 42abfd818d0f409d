"""The first rows of a draw, remembered beside the training sets: a training looks at few, and starts often."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.state import State
from manifests.storage import read_metadata, read_table, replace

KEPT = 1_024  # rows
STATE, WHOLE = b"state", b"whole"  # in the file's metadata: of the dataset; whether the draw has no more rows


def recall(place: Path, state: State, rows: int) -> pa.Table | None:
    """The first `rows` rows of the draw, if so many are remembered of it and the dataset is as it was."""
    if not place.exists():
        return None
    metadata = read_metadata(place)
    if json.loads(metadata.metadata[STATE]) != state:
        return None
    if metadata.num_rows < rows and metadata.metadata[WHOLE] == b"no":
        return None
    return read_table(place).slice(0, rows).replace_schema_metadata()


def remember(place: Path, state: State, drawn: pa.Table) -> None:
    """Remember a draw where trainings keep their sets; where there are none, or nobody may write, do nothing."""
    if not (place.parent.is_dir() and os.access(place.parent, os.W_OK)):
        return
    said = {STATE: json.dumps(state).encode(), WHOLE: b"yes" if len(drawn) <= KEPT else b"no"}
    table = drawn.slice(0, KEPT).replace_schema_metadata(said)
    replace(lambda partial: pq.write_table(table, partial), place)
