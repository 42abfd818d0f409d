"""What is known of the test samples beside their scores: how rich their conditions are, how long their captions."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from annotate.corpus import AT_INGEST
from evaluate.strata import is_number
from manifests.dataset import Dataset
from manifests.index import ROWS, index_path, index_schema, read_index
from manifests.layout import IMAGES
from manifests.storage import replace

TRAITS_FILE = "traits.parquet"
OF_ROWS = ("caption_length", "part")  # of the index of rows; the others are what annotators measured
MEANINGLESS = ("latents", "phash")  # annotators whose numbers say nothing to people
STANDING = {"status", "code"}  # of every family: whether a row has it, and if not, why


def write_traits(dataset: Dataset, condition: str, places: pa.Table, folder: Path) -> None:
    """Write down what the index says of the test samples, so that a report needs no dataset.

    Args:
        condition: family whose measurements come first.
        places: columns key, shard, row.
        folder: of the evaluation.
    """
    replace(partial(pq.write_table, traits_of(dataset, condition, places)), folder / TRAITS_FILE)


def traits_of(dataset: Dataset, condition: str, places: pa.Table) -> pa.Table:
    """One row a sample, in the order of `places`: key, numbers as FAMILY.COLUMN, caption_length, part."""
    rows = read_index(dataset, ROWS, ["key", *OF_ROWS])
    at = pc.index_in(places["key"], value_set=rows["key"].combine_chunks())
    found = rows.take(at)
    for family in [condition, *(name for name in dataset.families() if name != condition)]:
        for column in _measured(dataset, family):
            found = found.append_column(f"{family}.{column}", read_index(dataset, family, [column])[column].take(at))
    return found.select(["key", *(name for name in found.column_names if "." in name), *OF_ROWS])


def read_traits(folder: Path) -> pa.Table:
    """The traits of an evaluation's samples."""
    return pq.read_table(folder / TRAITS_FILE)


def _measured(dataset: Dataset, family: str) -> list[str]:
    """What an annotator measured of every row beside its condition."""
    if family == IMAGES or not index_path(dataset, family).exists():
        return []
    card = dataset.card(family)
    if card.annotator in (*AT_INGEST, *MEANINGLESS):
        return []
    chosen = card.parameters  # drawn for the row, not found in it
    return [
        field.name
        for field in index_schema(dataset, family)
        if field.name not in {*STANDING, *chosen} and is_number(field.type)
    ]
