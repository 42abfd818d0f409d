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

from annotate.annotate_worker import AnnotateOrder
from annotate.annotator import Annotate
from annotate.attempts import Attempts
from annotate.canny import Canny, trace_edges
from annotate.care import CAREFREE
from annotate.dry_run import run as dry_runs
from annotate.dry_run import trial
from annotate.dry_run.crew import Crew
from annotate.dry_run.excerpt import sample_runs, write_excerpt
from annotate.dry_run.outcome import Share
from annotate.dry_run.reckoning import Forecast
from annotate.dry_run.run import dry_run, outstanding
from annotate.image import encode_generated
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
WEIGHTS = Path(__file__).parents[4] / "shared/weights"
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
    dataset = ingest("fill50k:600")
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
        code = "decode" if family is canny else "annotate"  # phash decodes the picture itself
        assert (fault.code, fault.error, fault.rows) == (code, "ValueError", family.sampled["failed"])
        assert fault.examples[0].message == "not a picture that OpenCV reads (7 bytes)"
    keys = [key for name in dataset.shards() for key in dataset.read(IMAGES, name)["key"].to_pylist()]
    assert canny.faults[0].examples[0].key in keys
    low, median, high = canny.stats["edge_density"]
    assert 0 <= low <= median <= high < 0.2


@pytest.mark.skipif(not (WEIGHTS / "ControlNetHED.pth").exists(), reason="no weights here")
def test_a_chain_of_a_dataset_of_one_row_is_foreseen_almost_to_the_byte(
    ingest: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(WEIGHTS))
    dataset = ingest("playroom:1")
    tasks = make_tasks(dataset, ["hed", "scribble"], resolution=64)
    forecast = foresee(dataset, tasks)
    make(dataset, tasks)
    for family in forecast.families:
        size = dataset.path(family.family, "00-000000").stat().st_size
        assert family.bytes.low == family.bytes.high == pytest.approx(size, rel=0.01)
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
    with pytest.raises(ValueError, match=r"family canny has fingerprint .* make it again with --refresh"):
        annotate.main(str(dataset.root), ["canny"], dry_run=True, resolution=128)


def test_what_a_job_would_be_refused_for_a_dry_run_is_too(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("fill50k:300")
    with pytest.raises(ValueError, match=r"scribble reads hed, which .* doesn't have. Make both"):
        annotate.main(str(dataset.root), ["scribble"], dry_run=True)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="--gpus 1: a dry run tries a worker here, and here are 0 GPUs"):
            annotate.main(str(dataset.root), ["canny"], dry_run=True, gpus=1)
    dataset.path(IMAGES, dataset.shards()[-1]).unlink()
    with pytest.raises(ValueError, match="its ingest isn't finished"):
        annotate.main(str(dataset.root), ["canny"], dry_run=True)
