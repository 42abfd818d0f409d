"""An excerpt of a dataset: a few hundred rows, cut out as batches, in a dataset of its own that a worker can work on.

Batches decide how fast a model is, and 256 rows from here and there would fill them worse than the 2,048 rows of a
shard do: pictures of many shapes would go one by one. So what is sampled are batches, as `bucketed` would form them in
the whole shard; widths and heights, which are read for that, are a thousandth of a shard's bytes. Runs of neighbouring
batches start evenly over all rows that lack a family. Only the row groups that hold them are read.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from annotate.annotator import IMAGE, PICTURES, STORED
from annotate.batches import Array, Inputs, bucketed
from annotate.image import fitted_size, rounded_size
from annotate.rows import Fault
from annotate.task import Task
from manifests.dataset import SETTINGS, Dataset
from manifests.family import create_card
from manifests.footer import write_shard
from manifests.layout import IMAGES, shard_name
from manifests.parallel import in_parallel
from manifests.storage import open_table, publish, publish_text, read_columns

RUNS = 32  # places of a dataset that a sample is of
PICTURE = ["key", "captions", "image", "width", "height"]


@dataclass(frozen=True)
class Run:
    """Neighbouring batches of one shard.

    Attributes:
        name: of the shard.
        rows: of the shard, in the order of the batches.
    """

    name: str
    rows: tuple[int, ...]


def sample_runs(
    dataset: Dataset, tasks: Sequence[Task], rows: Mapping[str, int], *, sample: int, size: int
) -> list[Run]:
    """About `sample` rows as runs of batches of `size`, at places that depend on the dataset and the sample alone.

    Args:
        rows: of each shard to sample from.
    """
    total = sum(rows.values())
    wanted = min(sample, total)
    runs = max(1, min(RUNS, wanted // size))
    ends = np.cumsum(list(rows.values()))
    places = (np.arange(runs) + _offset(dataset, sample)) / runs * total
    counts = Counter(list(rows)[place] for place in np.searchsorted(ends, places, side="right"))
    length = -(-wanted // runs)
    if wanted == total:
        counts, length = Counter(name for name in rows if rows[name]), max(rows.values())

    def cut(name: str) -> list[Run]:
        batches = _batches(dataset, name, tasks, size)
        return list(_cut(name, batches, counts[name], length, _offset(dataset, sample, name)))

    return [run for found in in_parallel(cut, counts) for run in found]


def _offset(dataset: Dataset, *of: object) -> float:
    """Where a systematic sample begins: a number in [0, 1), the same for the same dataset and sample."""
    return random.Random(f"{dataset.settings.id}:{of}").random()


def write_excerpt(dataset: Dataset, folder: Path, tasks: Sequence[Task], shares: Sequence[Sequence[Run]]) -> Dataset:
    """Write a dataset that has one shard for each share, of the rows of its runs in their order.

    Returns:
        That dataset; its shards are 00-000000, 00-000001 and so on.
    """
    folder.mkdir()
    publish_text(dataset.settings.model_dump_json() + "\n", folder / SETTINGS)
    excerpt = Dataset.open(folder)
    made = {task.family for task in tasks}
    sources = {task.source for task in tasks} - made - {*PICTURES}
    for family in (IMAGES, *sorted(sources)):
        card = dataset.card(family) if family in sources else None
        if card:
            create_card(excerpt.root, card)
        read = partial(_read, dataset, family, PICTURE if family == IMAGES else None)
        for number, runs in enumerate(shares):
            table = pa.concat_tables(in_parallel(read, runs))
            publish(partial(write_shard, table, card=card), excerpt.path(family, shard_name(0, number)))
    return excerpt


def _batches(dataset: Dataset, name: str, tasks: Sequence[Task], size: int) -> list[list[int]]:
    """Rows of a shard as a worker would put them together."""
    made = {task.family for task in tasks}
    sizes: dict[str, list[tuple[int, ...]]] = {}
    for task in tasks:
        source = task.source
        if source in sizes or source in made:
            continue
        table = read_columns(dataset.path(IMAGES if source in PICTURES else source, name), ["width", "height"])
        sides: list[Any] = list(zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True))
        if source == IMAGE:
            way = fitted_size if task.card.profile == "exact" else rounded_size
            sides = [way(width, height, task.card.resolution) for width, height in sides]
        sizes[source] = [() for _ in sides] if source == STORED else sides
    rows = len(next(iter(sizes.values())))
    stand_ins = (_stand_in(row, {source: shapes[row] for source, shapes in sizes.items()}) for row in range(rows))
    return [[inputs.row for inputs in batch] for batch in bucketed(stand_ins, size)]


def _stand_in(row: int, sizes: Mapping[str, tuple[int, ...]]) -> Inputs:
    """What a row's annotators read, as far as batches are concerned: arrays of its shape that take no memory."""
    absent = [source for source, size in sizes.items() if None in size]  # a source that has failed for this row
    blank: Array = np.zeros((), np.uint8)
    arrays = {source: np.broadcast_to(blank, size) for source, size in sizes.items() if source not in absent}
    return Inputs(row, arrays, dict.fromkeys(absent, Fault("source", "")))


def _cut(name: str, batches: Sequence[list[int]], count: int, length: int, offset: float) -> Iterator[Run]:
    """So many runs of about `length` rows, evenly over a shard; none of its batches twice."""
    ends = np.cumsum([len(batch) for batch in batches])  # in rows: where batches are small, there are more of them
    taken: set[int] = set()
    for number in range(count):
        start = int(np.searchsorted(ends, (number + offset) / count * ends[-1], side="right"))
        rows: list[int] = []
        for step in range(len(batches)):
            place = (start + step) % len(batches)
            if len(rows) >= length:
                break
            if place not in taken:
                taken.add(place)
                rows += batches[place]
        if rows:
            yield Run(name, tuple(rows))


def _read(dataset: Dataset, family: str, columns: list[str] | None, run: Run) -> pa.Table:
    """Rows of a run, from the row groups that hold them."""
    with open_table(dataset.path(family, run.name)) as file:
        counts = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        ends = np.cumsum(counts)
        rows = np.asarray(run.rows)
        groups = np.searchsorted(ends, rows, side="right")
        needed = sorted(set(groups.tolist()))
        table = file.read_row_groups(needed, columns, use_threads=False)
    starts = dict(zip(needed, np.cumsum([0, *(counts[group] for group in needed)]).tolist(), strict=False))
    places = [
        starts[group] + row - (ends[group] - counts[group]) for group, row in zip(groups.tolist(), rows, strict=True)
    ]
    return table.take(places)
