"""A dry run foresees what a job then does, and leaves the dataset as it was."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray

from annotate import dry_run as dry_runs
from annotate import trial
from annotate.annotate_worker import AnnotateOrder
from annotate.annotator import Annotate
from annotate.attempts import Attempts
from annotate.batches import Inputs, bucketed
from annotate.canny import Canny, trace_edges
from annotate.care import CAREFREE
from annotate.crew import Crew
from annotate.dry_run import dry_run, outstanding
from annotate.excerpt import sample_runs, write_excerpt
from annotate.image import encode_generated
from annotate.outcome import Share
from annotate.reckoning import Forecast, warnings
from annotate.shard import annotate_shard, bind, count
from annotate.task import Task, make_tasks
from annotate.weights import VARIABLE
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.footer import write_shard
from manifests.layout import IMAGES
from manifests.storage import replace as replace_file
from pipelines import annotate
from tests.annotate.deadly import GREY, Deadly

CPU = torch.device("cpu")
WEIGHTS = Path(__file__).parents[3] / "shared/weights"
ONE = Crew(workers=1, room=1)


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_runs, "SECONDS", 0.0)  # one pass


def order_of(dataset: Dataset, tasks: Sequence[Task], batch_size: int = 8) -> AnnotateOrder:
    return AnnotateOrder(
        str(dataset.root), dataset.settings.id, tuple(tasks), Attempts("annotate"), batch_size=batch_size
    )


def foresee(dataset: Dataset, tasks: Sequence[Task], crew: Crew = ONE, sample: int = 256) -> Forecast:
    lacking = outstanding(dataset, tasks, dataset.shards(), refresh=False, retry=None)
    return dry_run(dataset, order_of(dataset, tasks), lacking, crew=crew, sample=sample, done=lambda _: None)


def make(dataset: Dataset, tasks: Sequence[Task], names: Sequence[str] | None = None) -> None:
    for task in tasks:
        create_card(dataset.root, task.card)
    bound = bind(tasks, CPU)
    for name in dataset.shards() if names is None else names:
        annotate_shard(dataset, name, bound, batch_size=8, threads=0, done=lambda _: None)


def spoil(dataset: Dataset, every: int) -> None:
    """Damage every so many stored pictures."""
    for name in dataset.shards():
        table = dataset.read(IMAGES, name)
        images = [
            {"bytes": b"damaged", "path": None} if row % every == 0 else image
            for row, image in enumerate(table["image"].to_pylist())
        ]
        field = table.schema.field("image")
        spoilt = table.set_column(table.schema.get_field_index("image"), field, pa.array(images, field.type))
        replace_file(lambda partial, spoilt=spoilt: write_shard(spoilt, partial), dataset.path(IMAGES, name))


def contents(root: Path) -> dict[str, str]:
    files = (path for path in sorted(Path(str(root)).rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_foresees_bytes_and_failures_of_a_half_made_job_and_writes_nothing(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("playroom:600")
    spoil(dataset, 16)
    tasks = make_tasks(dataset, ["canny", "phash"], resolution=128)
    first, *others = dataset.shards()
    make(dataset, tasks[:1], [first])
    before = contents(dataset.root)

    forecast = foresee(dataset, tasks, Crew(workers=2, room=2), sample=200)

    assert contents(dataset.root) == before
    assert (forecast.rows, forecast.to_make, forecast.shards, forecast.processes) == (600, 600, 5, 2)
    assert 190 <= forecast.sampled <= 230
    canny, phash = forecast.families
    assert (canny.rows, phash.rows) == (dataset.rows(IMAGES, others), 600)
    assert forecast.together.likely == pytest.approx(2 * forecast.per_worker.likely)
    assert 0 < forecast.seconds.low <= forecast.seconds.likely <= forecast.seconds.high
    assert forecast.seconds.low > forecast.startup > forecast.loading >= 0
    assert sum(forecast.stages.values()) == pytest.approx(1)
    assert {"decode", "model canny", "encode canny", "model phash", "encode phash", "rest"} == set(forecast.stages)
    assert forecast.memory > 100e6
    make(dataset, tasks)
    for family, names in ((canny, others), (phash, dataset.shards())):
        real = sum(dataset.path(family.family, name).stat().st_size for name in names)
        assert family.bytes.likely == pytest.approx(real, rel=0.15)
        assert sum(family.sampled.values()) == forecast.sampled
        failed = count(dataset, family.family, names)["failed"] / family.rows
        assert family.failed.low <= failed <= family.failed.high
        (fault,) = family.faults
        assert (fault.code, fault.error, fault.rows) == ("decode", "ValueError", family.sampled["failed"])
        assert fault.examples[0].message == "not a picture that OpenCV reads (7 bytes)"
    keys = [key for name in dataset.shards() for key in dataset.read(IMAGES, name)["key"].to_pylist()]
    assert canny.faults[0].examples[0].key in keys
    low, median, high = canny.stats["edge_density"]
    assert 0 <= low <= median <= high < 0.2


@pytest.mark.skipif(not (WEIGHTS / "ControlNetHED.pth").exists(), reason="no weights here")
def test_a_chain_of_a_dataset_of_one_row_is_foreseen_to_the_byte(
    ingest: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(WEIGHTS))
    dataset = ingest("playroom:1")
    tasks = make_tasks(dataset, ["hed", "scribble"], resolution=64)
    forecast = foresee(dataset, tasks)
    make(dataset, tasks)
    for family in forecast.families:
        size = dataset.path(family.family, "00-000000").stat().st_size
        assert family.bytes.low == family.bytes.high == pytest.approx(size, abs=1)
    assert [family.family for family in forecast.families] == ["hed", "scribble"]
    assert (forecast.sampled, forecast.to_make) == (1, 1)


def test_a_row_that_kills_its_worker_is_a_failed_one(tmp_path: Path, ingest: Callable[..., Dataset], png: Any) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    grey = encode_generated(np.full((128, 128, 3), GREY, np.uint8))
    for row in range(3):
        (corpus / f"{row}.png").write_bytes(grey if row == 1 else png[row])
        (corpus / f"{row}.txt").write_text(f"picture {row}")
    dataset = ingest(corpus)
    (task,) = make_tasks(dataset, ["canny"], resolution=128)
    (family,) = foresee(dataset, [replace(task, annotator=Deadly())]).families
    assert (family.sampled, family.failed.likely) == ({"ok": 2, "failed": 1}, pytest.approx(1 / 3))
    assert [(fault.code, fault.rows) for fault in family.faults] == [("crashed", 1)]


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
        replace_file(lambda partial, odd=odd: write_shard(odd, partial), dataset.path(IMAGES, name))


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


@dataclass(frozen=True)
class Greedy(Canny):
    """Canny that has room for two pictures."""

    def load(self, device: torch.device) -> Annotate:
        """Nothing to load."""
        return trace_two


def trace_two(images: NDArray[np.uint8], parameters: Sequence[Any]) -> list[NDArray[np.uint8]]:
    """Trace edges of at most two pictures."""
    if len(images) > 2:
        raise MemoryError("no room")
    return trace_edges(images, parameters)


def test_a_batch_that_does_not_fit_is_halved(ingest: Callable[..., Dataset], tmp_path: Path) -> None:
    dataset = ingest("fill50k:9")
    (task,) = make_tasks(dataset, ["canny"], resolution=64)
    runs = sample_runs(dataset, [task], {"00-000000": 9}, sample=9, size=8)
    excerpt = write_excerpt(dataset, tmp_path / "excerpt", [task], [runs])
    order = replace(order_of(excerpt, [replace(task, annotator=Greedy())]), dataset_id=dataset.settings.id)
    share = Share(order, "00-000000", (9,), 0.0, tmp_path)
    share.go.touch()
    outcome = trial.try_share(share, CAREFREE)
    assert (outcome.batch_size, len(outcome.passes)) == (2, 1)
    assert {stretch.stage for stretch in outcome.passes[0].spent} == {"decode", "model", "encode"}
    with pytest.raises(ValueError, match="not even one picture fits into memory"):
        trial.try_share(replace(share, order=replace(order, tasks=(replace(task, annotator=Glutton()),))), CAREFREE)


@dataclass(frozen=True)
class Glutton(Canny):
    """Canny that has room for none."""

    def load(self, device: torch.device) -> Annotate:
        """Nothing to load."""
        return trace_none


def trace_none(images: NDArray[np.uint8], parameters: Sequence[Any]) -> list[NDArray[np.uint8]]:
    """Run out of memory."""
    raise MemoryError("no room")


def test_the_command_ends_with_the_job_to_start_and_leaves_its_figures_as_json(
    ingest: Callable[..., Dataset], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    dataset = ingest("fill50k:20")
    spoil(dataset, 5)
    figures = tmp_path / "figures.json"
    settings = {"resolution": 64, "workers": "5", "max_failed": "1%", "set_": ["canny.low=50"]}
    before = contents(dataset.root)
    annotate.main(str(dataset.root), ["canny"], dry_run=True, sample=20, json=figures, **settings)
    said = capsys.readouterr().out
    assert contents(dataset.root) == before
    words = f"{dataset.root} canny --resolution 64 --workers 5 --max-failed 1% --set canny.low=50"
    assert said.splitlines()[-1] == f"start it: python pipelines/annotate.py {words}"
    assert "canny: 4 of 20 rows failed, decode: ValueError" in said
    found = json.loads(figures.read_text())
    assert found["families"][0]["sampled"] == {"failed": 4, "ok": 16}
    assert found["families"][0]["failed"] == {"low": 0.2, "likely": 0.2, "high": 0.2}
    told = "\n".join(found["warnings"])
    assert "and --max-failed 1.000% is exceeded" in told
    assert "1 shards, each made by one worker: 4 of 5 workers have nothing to do" in told

    make(dataset, make_tasks(dataset, ["canny"], resolution=64, settings=["canny.low=50"]))
    capsys.readouterr()
    annotate.main(str(dataset.root), ["canny"], dry_run=True, **settings)
    assert "nothing is missing" in capsys.readouterr().out
    with pytest.raises(ValueError, match="family canny has fingerprint .* make it again with --refresh"):
        annotate.main(str(dataset.root), ["canny"], dry_run=True, resolution=128)


def test_rows_to_be_made_again_are_counted(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:300")
    first, second, third = dataset.shards()
    tasks = make_tasks(dataset, ["canny"], resolution=64)
    make(dataset, tasks, [first, second])
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
    order, forecast = order_of(dataset, tasks, batch_size=64), foresee(dataset, tasks)
    short = replace(forecast, free=10, batch_size=16, memory=1 << 50)
    told = list(warnings(short, order, Crew(workers=1, room=1), 1.0))
    assert [line.partition(":")[0] for line in told] == ["disk", "memory", "memory"]
    assert "10 bytes are free" in told[0]
    assert "say --batch-size 16" in told[1]
    assert "this machine has" in told[2]
    (crowded, *_) = warnings(forecast, replace(order, batch_size=8), Crew(workers=9, room=2), 1.0)
    assert crowded == "9 workers share room for 2, and gain nothing. Say --workers 2"
    assert Crew(workers=9, room=2).slowdown == 4.5
    assert Crew(workers=9, room=2, elsewhere=True).slowdown == 1.0


def test_workers_that_share_a_gpu_are_tried_on_one() -> None:
    shared = Crew(workers=8, room=8, gpus=0.25)
    assert [shared.device("cuda", number) for number in (0, 3, 4)] == ["cuda:0", "cuda:0", "cuda:1"]
    assert Crew(workers=2, room=2, gpus=2).device("cuda", 1) == "cuda:2"
    assert Crew(workers=2, room=2).device("cpu", 1) == "cpu"


def test_what_a_job_would_be_refused_for_a_dry_run_is_too(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:300")
    with pytest.raises(ValueError, match="scribble reads hed, which .* doesn't have. Make both"):
        annotate.main(str(dataset.root), ["scribble"], dry_run=True)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="--gpus 1: a dry run tries a worker here, and here are 0 GPUs"):
            annotate.main(str(dataset.root), ["canny"], dry_run=True, gpus=1)
    dataset.path(IMAGES, dataset.shards()[-1]).unlink()
    with pytest.raises(ValueError, match="its ingest isn't finished"):
        annotate.main(str(dataset.root), ["canny"], dry_run=True)
