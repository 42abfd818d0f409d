"""What a job has to make, what stands in its way, and where its workers are."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import torch

from annotate.annotate_worker import AnnotateOrder
from annotate.attempts import Attempts
from annotate.dry_run.crew import Crew
from annotate.dry_run.forecast import Range
from annotate.dry_run.reckoning import Forecast, warnings
from annotate.dry_run.run import outstanding
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.footer import write_shard
from manifests.storage import replace as replace_file


def test_rows_to_be_made_again_are_counted(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:300")
    first, second, third = dataset.shards()
    tasks = make_tasks(dataset, ["canny"], resolution=64)
    create_card(dataset.root, tasks[0].card)
    for name in (first, second):
        annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=8, threads=0, done=lambda _: None)
    damaged = dataset.read("canny", first).to_pydict()
    damaged["status"][0], damaged["code"][0] = "failed", "annotate"
    schema = dataset.read("canny", first).schema
    table = pa.Table.from_pydict(damaged, schema=schema)
    replace_file(lambda partial: write_shard(table, partial, card=tasks[0].card), dataset.path("canny", first))

    def lacking(refresh: bool = False, retry: str | None = None, low: int = 100) -> list[str]:
        asked = make_tasks(dataset, ["canny"], resolution=64, settings=[f"canny.low={low}"])
        return list(outstanding(dataset, asked, dataset.shards(), refresh=refresh, retry=retry))

    assert lacking() == [third]
    assert lacking(retry="") == lacking(retry="annotate") == [first, third]
    assert lacking(retry="decode") == [third]
    assert lacking(refresh=True) == [third]
    assert lacking(refresh=True, low=50) == [first, second, third]


def test_what_stands_in_the_way_of_a_job_is_warned_of(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:8")
    tasks = make_tasks(dataset, ["canny"], resolution=64)
    order = AnnotateOrder(str(dataset.root), dataset.settings.id, tuple(tasks), Attempts("annotate"), batch_size=64)
    likely = Range(1.0, 2.0, 3.0)
    forecast = Forecast(
        dataset="d",
        rows=90,
        to_make=90,
        shards=9,
        sampled=9,
        processes=1,
        workers=1,
        per_worker=likely,
        together=likely,
        seconds=likely,
        startup=1.0,
        loading=0.0,
        stages={},
        processor=1.0,
        memory=1 << 50,
        gpu_memory=0,
        batch_size=16,
        bytes=likely.times(1e9),
        free=10**9,
        families=(),
    )
    told = list(warnings(forecast, order, Crew(workers=1, room=1), 1.0))
    assert [line.partition(":")[0] for line in told] == ["disk", "memory", "memory"]
    assert "1.0 GB to 3.0 GB are needed where the dataset lies, and 1.0 GB are free" in told[0]
    assert "say --batch-size 16" in told[1]
    assert "this machine has" in told[2]
    idle = replace(forecast, free=None, batch_size=64, memory=1)
    (busy,) = warnings(replace(idle, processor=0.25), order, Crew(workers=1, room=1), 1.0)
    assert "had a core for 25% of the time, and with one to themselves would be up to 4.0 times as fast" in busy
    (crowded, *_) = warnings(replace(forecast, free=None, batch_size=64), order, Crew(workers=9, room=2), 1.0)
    assert crowded == "9 workers share room for 2, and gain nothing. Say --workers 2"
    assert Crew(workers=9, room=2).slowdown == 4.5
    assert Crew(workers=9, room=2, elsewhere=True).slowdown == 1.0


def test_workers_that_share_a_gpu_are_tried_on_one() -> None:
    shared = Crew(workers=8, room=8, gpus=0.25)
    assert [shared.device("cuda", number) for number in (0, 3, 4)] == ["cuda:0", "cuda:0", "cuda:1"]
    assert Crew(workers=2, room=2, gpus=2).device("cuda", 1) == "cuda:2"
    assert Crew(workers=2, room=2).device("cpu", 1) == "cpu"
