"""What a user got wrong is one message with the way out, and leaves nothing that a later command takes for whole."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from annotate import job
from annotate.attempts import Attempts
from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.ingest_worker import IngestWorker
from annotate.plan import make_plan
from annotate.pool import Pool
from manifests.hub import write_dataset_card
from manifests.index import build_index
from manifests.layout import IMAGES
from pipelines import annotate, ingest
from pipelines.entry import run

Refused = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must fail; what it says, in one line."""

    def command(main: Callable[..., Any], *words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            run(main)
        said = str(stop.value.code)
        assert said.startswith("error: ")
        assert "\n" not in said
        assert capfd.readouterr() == ("", "")
        return said

    return command


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of circles."""
    dataset = make_plan(tmp_path_factory.mktemp("bad") / "circles", find_corpus("fill50k:140"))
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    build_index(dataset)
    write_dataset_card(dataset)
    return dataset.root


@pytest.fixture
def root(ingested: Path, tmp_path: Path) -> Path:
    """A copy that may be spoiled."""
    copytree(ingested, tmp_path / "circles")
    return tmp_path / "circles"


def files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}


def half_written(root: Path) -> set[Path]:
    return {path for path in files(root) if path.suffix == ".partial"}


def test_a_corpus_that_is_not_there(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "photos").mkdir()
    said = refused(ingest.main, tmp_path / "photo", tmp_path / "pairs")
    assert "nothing there (there is photos). Give a folder of pictures" in said
    assert not (tmp_path / "pairs").exists()


def test_an_empty_corpus(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "photos").mkdir()
    assert "no pictures found" in refused(ingest.main, tmp_path / "photos", tmp_path / "pairs")
    assert not (tmp_path / "pairs").exists()


def test_a_folder_that_holds_another_corpus(root: Path, refused: Refused) -> None:
    before = files(root)
    said = refused(ingest.main, "fill50k:150", root)
    assert "another dataset is there: corpus is 'fill50k:140', not 'fill50k:150'. Choose a folder" in said
    assert "max_side=64" in refused(ingest.main, "fill50k:140", root, "--max-side", "64")
    assert files(root) == before


def test_a_folder_that_holds_something_else(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "other files are there, and no dataset" in refused(ingest.main, "fill50k:10", tmp_path)
    assert "other files are there" in refused(ingest.main, "fill50k:10", tmp_path / "thesis.tex")
    assert files(tmp_path) == {tmp_path / "thesis.tex"}


def test_a_dataset_that_is_not_there(tmp_path: Path, refused: Refused) -> None:
    said = refused(annotate.main, tmp_path / "pairs", "canny")
    assert "no dataset is there. Make one: python pipelines/ingest.py CORPUS" in said
    assert not (tmp_path / "pairs").exists()


def test_an_ingest_that_was_not_finished(root: Path, refused: Refused) -> None:
    (root / IMAGES / "00-000001.parquet").unlink()
    assert "its ingest isn't finished" in refused(annotate.main, root, "canny")
    assert not (root / "canny").exists()


WRONG = {
    "unknown condition": (["cany"], "no annotator 'cany' .did you mean 'canny'..."),
    "unknown setting": (["canny", "--set", "canny.lo=3"], "canny has no setting 'lo' .did you mean 'low'..."),
    "a value that can't be": (["canny", "--set", "canny.low=much"], "canny: low: Input should be a valid integer"),
    "no setting": (["canny", "--set", "low=3"], "not of the form FAMILY.setting=value"),
    "another family's setting": (["canny", "--set", "hed.x=3"], "this job has no family 'hed'"),
    "a name of the layout's": (["images=canny"], "that name is taken by the layout"),
    "not annotated yet": (["scribble"], "scribble reads hed, which .* doesn't have. Make both: .* hed scribble"),
}


@pytest.mark.parametrize(("words", "says"), WRONG.values(), ids=WRONG)
def test_families_that_cannot_be_made(words: list[str], says: str, root: Path, refused: Refused) -> None:
    before = files(root)
    assert re.search(says, refused(annotate.main, root, *words))
    assert files(root) == before


def test_a_family_begun_with_other_settings(root: Path, refused: Refused, capfd: pytest.CaptureFixture[str]) -> None:
    annotate.main(root, ["canny"], workers=1)
    capfd.readouterr()
    before = files(root)
    said = refused(annotate.main, root, "canny", "--set", "canny.low=50")
    assert "family canny has fingerprint" in said
    assert "Give it another name, canny_2=canny, or make it again with --refresh" in said
    assert files(root) == before


def test_weights_that_are_not_there(root: Path, tmp_path: Path) -> None:
    offline = {**os.environ, "PAIRMILL_WEIGHTS": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, job.ROOT / "pipelines" / "annotate.py", root, "hed"]
    done = subprocess.run(command, env=offline, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: weights ControlNetHED.pth (Apache-2.0")
    assert "PAIRMILL_WEIGHTS" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (root / "hed").exists()


@pytest.mark.parametrize(("main", "words"), [(annotate.main, ["pairs", "canny"]), (ingest.main, ["photos", "/pairs"])])
def test_a_relative_path_in_a_job(
    main: Callable[..., Any], words: list[str], refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")  # as Ray sets it for `ray job submit`
    said = refused(main, *words)
    assert f"{words[0]}: relative, and a Ray job runs elsewhere. Give the path as every node sees it" in said


def test_a_corpus_that_is_bigger_than_the_disk(tmp_path: Path, refused: Refused) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with (photos / "scan.tif").open("wb") as file:
        file.truncate(1 << 43)  # of holes: it takes no room itself
    said = refused(ingest.main, photos, tmp_path / "pairs", "--max-side", "0")
    assert "about 8.8 TB are needed there" in said
    assert "Make room, give another folder, or shrink the pictures with --max-side" in said
    assert not list((tmp_path / "pairs" / IMAGES).glob("*"))


def test_conditions_that_are_bigger_than_the_disk(root: Path, refused: Refused) -> None:
    before = files(root)
    said = refused(annotate.main, root, "canny", "--resolution", "1000000")
    assert re.search("about .* TB are needed there, and .* are free. Make room, lower --resolution", said)
    assert files(root) == before


def test_a_disk_that_is_full_before_the_work_begins(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))  # enough for dataset.json, not for the plan

    command = [sys.executable, "-B", job.ROOT / "pipelines" / "ingest.py", "fill50k:3000", tmp_path / "pairs"]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "pairs").rglob("*.parquet"))
    assert not half_written(tmp_path / "pairs")


def test_a_disk_that_is_full_midway(tmp_path: Path) -> None:
    class Cramped(IngestWorker):
        """A worker on a node whose disk takes no file of more than twenty thousand bytes."""

        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    dataset = make_plan(tmp_path / "pairs", find_corpus("fill50k:200"))
    named = {"root": str(dataset.root), "dataset_id": dataset.settings.id}
    arguments = {**named, "attempts": Attempts("ingest"), "threads": 1}
    job.connect(1)

    def work(worker: type) -> None:
        job.run_shards(worker, arguments, job.Goal("ingest", 200, lambda: dataset.missing(IMAGES)), Pool(1))

    with pytest.raises(
        ValueError, match=r"2 shards could not be made; 00-000000: OSError: .*File too large.*Mend that"
    ):
        work(Cramped)
    assert dataset.missing(IMAGES) == dataset.planned()
    assert not half_written(dataset.root)
    with pytest.raises(ValueError, match="its ingest isn't finished"):
        annotate.main(dataset.root, ["canny"])

    work(IngestWorker)
    assert dataset.rows(IMAGES) == 200


def test_another_dataset_at_the_same_path(root: Path) -> None:
    with pytest.raises(ValueError, match=r"is another dataset there\. Mount the same storage everywhere"):
        IngestWorker(str(root), "0" * 32, Attempts("ingest"), 1, None)


def test_a_refusal_gives_no_orders_to_the_terminal(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "corpus").mkdir()
    os.mkfifo(tmp_path / "corpus" / "\x1b[2J.tar")
    assert "[2J.tar: a pipe" in refused(ingest.main, tmp_path / "corpus", tmp_path / "dataset")
