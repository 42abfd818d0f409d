"""A sample is batches as a worker forms them in whole shards, from all over the dataset."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from annotate.batches import Inputs, bucketed
from annotate.dry_run.excerpt import sample_runs, write_excerpt
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.footer import write_shard
from manifests.layout import IMAGES
from manifests.storage import replace


def photographs(dataset: Dataset, rng: np.random.Generator) -> None:
    """Give pictures the sizes of photographs: some common, many rare."""
    for name in dataset.shards():
        table = dataset.read(IMAGES, name)
        widths = np.where(rng.random(len(table)) < 0.6, 640, rng.integers(400, 900, len(table)))
        place = table.schema.get_field_index("width")
        odd = table.set_column(place, table.schema.field("width"), pa.array(widths.tolist(), pa.int32()))
        odd = odd.set_column(
            table.schema.get_field_index("height"), "height", pa.array([480] * len(table), pa.int32())
        ).cast(table.schema)
        replace(lambda partial, odd=odd: write_shard(odd, partial), dataset.path(IMAGES, name))


def test_batches_are_those_of_whole_shards(ingest: Callable[..., Dataset], tmp_path: Path) -> None:
    dataset = ingest("fill50k:600")
    photographs(dataset, np.random.default_rng(0))
    tasks = make_tasks(dataset, ["canny"], resolution=480)
    rows = {name: dataset.rows(IMAGES, [name]) for name in dataset.shards()}
    runs = sample_runs(dataset, tasks, rows, sample=128, size=8)
    places = [(run.name, row) for run in runs for row in run.rows]
    assert 128 <= len(places) == len(set(places)) < 200
    assert {run.name for run in runs} == set(rows), "all over the dataset"
    for name in rows:
        widths = dataset.read(IMAGES, name, ["width"])["width"].to_pylist()
        inputs = (Inputs(row, {"image": np.broadcast_to(np.uint8(0), (480, w))}) for row, w in enumerate(widths))
        batches = [tuple(item.row for item in batch) for batch in bucketed(inputs, 8)]
        for run in (run for run in runs if run.name == name):
            inside = [batch for batch in batches if set(batch) & set(run.rows)]
            assert sum(map(len, inside)) == len(run.rows), "batches go in whole"
    assert sample_runs(dataset, tasks, rows, sample=128, size=8) == runs

    excerpt = write_excerpt(dataset, tmp_path / "excerpt", tasks, [runs[:3], runs[3:]])
    keys = {name: dataset.read(IMAGES, name)["key"].to_pylist() for name in rows}
    assert excerpt.shards() == ["00-000000", "00-000001"]
    read = [key for name in excerpt.shards() for key in excerpt.read(IMAGES, name)["key"].to_pylist()]
    assert read == [keys[name][row] for name, row in places]


def test_a_sample_larger_than_the_dataset_is_all_of_it(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:300")
    tasks = make_tasks(dataset, ["canny"], resolution=64)
    rows = {name: dataset.rows(IMAGES, [name]) for name in dataset.shards()}
    for sample in (300, 100_000):
        runs = sample_runs(dataset, tasks, rows, sample=sample, size=8)
        assert sorted((run.name, row) for run in runs for row in run.rows) == [
            (name, row) for name, many in rows.items() for row in range(many)
        ]
