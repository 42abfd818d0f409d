"""Hostile inputs stop no job, don't disappear, don't escape their folder, and harm no neighbour."""

import os
from collections.abc import Callable
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
import torch

from annotate.shard import annotate_shard, bind, count
from annotate.task import make_tasks
from evaluate.sheet.page import write_sheet
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.hub import write_dataset_card
from manifests.index import build_index
from manifests.layout import SOURCE
from tests.annotate.hostile import captions, folders, metadata, pictures, tables, tars
from tests.annotate.hostile.case import CAPTION, PNG, SECRET, Case
from tests.annotate.hostile.document import DOCUMENT, WRITE, document
from tests.annotate.hostile.measure import Outcome, begin, ingest, write_corpora

KINDS = {kind.__name__.rpartition(".")[2]: kind.CASES for kind in (pictures, captions, metadata, folders, tars, tables)}
CASES = [case for cases in KINDS.values() for case in cases]
NAMES = [f"{case.where}: {case.input}" for case in CASES]
UNSEEN = [chr(code) for code in (*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F))]

pytestmark = pytest.mark.filterwarnings("ignore")  # what a library only warns of stops no job, and no test here


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all that these tests write."""
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def outcomes(home: Path) -> dict[str, Outcome]:
    """What became of every input; each kind has a dataset of its own."""
    measured: dict[str, Outcome] = {}
    for kind, cases in KINDS.items():
        (home / kind).mkdir()
        corpora = write_corpora(cases, home / kind)
        dataset = begin(home / kind)
        before = seen(home)
        for case, corpus in zip(cases, corpora, strict=True):
            measured[f"{case.where}: {case.input}"] = ingest(case, corpus, dataset)
        assert seen(home) == before, "nothing but datasets is written"
    assert not any(tars.ABSOLUTE.parent.glob(f"{tars.ABSOLUTE.name}*"))
    return measured


def seen(home: Path) -> dict[str, tuple[int, int]]:
    """Everything outside datasets: size and time of change."""
    paths = [path for path in home.rglob("*") if "dataset" not in path.relative_to(home).parts]
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths}


@pytest.fixture(scope="module", params=KINDS)
def dataset(request: pytest.FixtureRequest, home: Path, outcomes: dict[str, Outcome]) -> Dataset:
    """All that was kept of one kind of input, with its neighbours."""
    return Dataset.open(home / request.param / "dataset")


@pytest.mark.parametrize(("name", "case"), zip(NAMES, CASES, strict=True), ids=NAMES)
def test_a_hostile_input_becomes_what_it_should_and_harms_no_neighbour(
    name: str, case: Case, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[name]
    assert outcome.became == case.becomes, outcome.said
    if not outcome.said:
        assert (outcome.neighbours, outcome.unaccounted) == (case.neighbours, 0)
    assert SECRET not in outcome.said


def test_every_input_is_another() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 40


def test_nothing_that_lies_beside_a_corpus_is_in_the_dataset(dataset: Dataset) -> None:
    for path in Path(str(dataset.root)).rglob("*"):
        if path.suffix == ".parquet":
            assert SECRET not in str(pq.read_table(path).to_pylist())
        elif path.is_file():
            assert SECRET.encode() not in path.read_bytes()


def test_what_was_kept_is_annotated_indexed_loaded_and_shown(dataset: Dataset, tmp_path: Path) -> None:
    tasks = make_tasks(dataset, ["canny"], resolution=128)
    create_card(dataset.root, tasks[0].card)
    for name in dataset.missing("canny"):
        annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=8, threads=1, done=lambda _: None)
    assert count(dataset, "canny")["failed"] == 0
    assert set(build_index(dataset).values()) == {0}
    write_dataset_card(dataset)
    loaded = datasets.load_dataset(str(dataset.root), "images", cache_dir=str(tmp_path / "cache"))["corpus"]
    assert [row["image"].size for row in loaded] == list(zip(loaded["width"], loaded["height"], strict=True))
    assert len(loaded) == dataset.rows() == sum(count(dataset, "canny").values())
    page = write_sheet(dataset, tmp_path / "sheet.html", rows=len(loaded)).read_text()
    assert "<script" not in page
    assert not set(page) & set(UNSEEN)
    said = [
        value for name in dataset.shards() for row in dataset.read(SOURCE, name).to_pylist() for value in row.values()
    ]
    assert not set("".join(value for value in said if isinstance(value, str))) & set(UNSEEN)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_picture_that_may_not_be_read_is_dropped(
    tmp_path: Path, ingest: Callable[..., Dataset], dropped: Callable[[Dataset], dict[str, str]]
) -> None:
    (tmp_path / "corpus").mkdir()
    for name in ("closed", "open"):
        (tmp_path / "corpus" / f"{name}.png").write_bytes(PNG[1])
        (tmp_path / "corpus" / f"{name}.txt").write_text(CAPTION)
    (tmp_path / "corpus" / "closed.png").chmod(0)
    assert dropped(ingest(tmp_path / "corpus")) == {"closed.png": "read: unreadable"}


def test_the_table_in_the_documentation_is_what_was_measured(outcomes: dict[str, Outcome]) -> None:
    text = document((case, outcomes[name]) for name, case in zip(NAMES, CASES, strict=True))
    if os.environ.get(WRITE):
        DOCUMENT.write_text(text)
    remedy = f"{DOCUMENT.name} is not what was measured. Run this test with {WRITE}=1, and look at the difference"
    assert DOCUMENT.read_text() == text, remedy
