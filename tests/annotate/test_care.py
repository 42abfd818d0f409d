"""A row that kills whoever touches it becomes one failed row; its neighbours are made as ever."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from annotate.annotate_worker import AnnotateOrder, AnnotateWorker
from annotate.attempts import DEADLY, Attempts
from annotate.care import Care, go_through
from annotate.image import encode_generated
from annotate.ingest import ingest_shard
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.footer import read_footer
from manifests.provenance import versions
from tests.annotate.deadly import GREY, Deadly

ROWS = 10
KILLER = 4  # row


class Tally:
    """A tally whose calls go nowhere."""

    @property
    def add(self) -> Any:
        return self

    def remote(self, rows: int) -> None:
        """Count nothing."""


@pytest.fixture
def dataset(tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset]) -> Dataset:
    """Ten pictures in one shard, one of them deadly."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    grey = encode_generated(np.full((128, 128, 3), GREY, np.uint8))
    for row in range(ROWS):
        (corpus / f"{row}.png").write_bytes(grey if row == KILLER else png[row % 8])
        (corpus / f"{row}.txt").write_text(f"picture {row}")
    return ingest(corpus)


def test_the_row_that_kills_its_worker_fails_and_no_other(dataset: Dataset, rows: Callable[..., list]) -> None:
    (task,) = make_tasks(dataset, ["canny"], resolution=128)
    deadly = replace(task, annotator=Deadly())
    create_card(dataset.root, task.card)
    attempts = Attempts("annotate", ("canny",))
    attempts.folder(dataset).mkdir(parents=True)
    for death in range(DEADLY):
        (attempts.folder(dataset) / f"00-000000.{death}").touch()
    worker = AnnotateWorker(AnnotateOrder(str(dataset.root), dataset.settings.id, (deadly,), attempts), Tally())

    assert worker({"shard": ["00-000000"]}) == {"shard": ["00-000000"], "trouble": [""]}

    made = rows(dataset, "canny")
    assert [row["code"] for row in made] == ["crashed" if row == KILLER else "" for row in range(ROWS)]
    assert [row["status"] for row in made if row["code"]] == ["failed"]
    note = json.loads((dataset.root / "logs/annotate/00-000000.json").read_text())
    assert (note["deaths"], note["trouble"], note["families"]) == (DEADLY, "", ["canny"])
    dataset.path("canny", "00-000000").unlink()
    annotate_shard(
        dataset, "00-000000", bind([task], torch.device("cpu")), batch_size=8, threads=1, done=lambda _: None
    )
    usual = rows(dataset, "canny")
    assert [row for row in made if not row["code"]] == [row for number, row in enumerate(usual) if number != KILLER]


def test_a_footer_names_the_packages_of_the_machine_that_made_the_shard(dataset: Dataset) -> None:
    (task,) = make_tasks(dataset, ["canny"], resolution=128)
    create_card(dataset.root, task.card)
    older = task.card.model_copy(update={"packages": {"opencv-python-headless": "4.1"}})  # where the job was started
    order = AnnotateOrder(
        str(dataset.root), dataset.settings.id, (replace(task, card=older),), Attempts("annotate", ("canny",))
    )
    assert AnnotateWorker(order, Tally())({"shard": ["00-000000"]})["trouble"] == [""]
    assert read_footer(dataset.path("canny", "00-000000"))["packages"] == versions()


def test_a_record_that_crashes_is_dropped_with_that_reason(dataset: Dataset, dropped: Callable) -> None:
    dataset.path("images", "00-000000").unlink()
    dataset.path("source", "00-000000").unlink()
    dataset.path("dropped", "00-000000").unlink()
    noted: list[int] = []
    care = Care(frozenset([KILLER]), note=noted.extend)
    ingest_shard(dataset, "00-000000", threads=0, done=lambda _: None, care=care)
    assert dropped(dataset) == {f"{KILLER}.png": "read: crashed"}
    assert dataset.rows() == ROWS - 1
    assert noted == [row for row in range(ROWS) if row != KILLER]


def test_an_attempt_that_ended_before_it_came_to_images_leaves_nothing_of_itself(dataset: Dataset) -> None:
    dataset.path("images", "00-000000").unlink()
    care = Care(frozenset([KILLER]))  # the second attempt keeps other rows than the first, whose other files lie there
    ingest_shard(dataset, "00-000000", threads=0, done=lambda _: None, care=care)
    keys = [dataset.read(folder, "00-000000", ["key"])["key"].to_pylist() for folder in ("images", "source")]
    assert len(keys[0]) == ROWS - 1
    assert keys[0] == keys[1]
    assert dataset.rows("dropped") == 1
    ingest_shard(dataset, "00-000000", threads=0, done=lambda _: None)  # of an attempt that was given up too early
    assert dataset.rows("dropped") == 1


def test_who_is_killed_from_outside_blames_no_row(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"killed over row 3 when by itself too, .* Try fewer workers"):
        go_through("tests.annotate.killed", [], tmp_path / "journal")


def test_what_fails_without_dying_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"by itself too: .*there_is_none"):
        go_through("annotate.there_is_none", [], tmp_path / "journal")
