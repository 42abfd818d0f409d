from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from evaluate.batch import load_setup, run_batch
from evaluate.floors import load_floors
from evaluate.job import evaluate
from evaluate.pictures import PICTURES_FOLDER, Panels, to_table
from evaluate.plan import Task, plan_evaluation
from manifests.manifest import load_manifest


def planned(run: Path, folder: Path, *settings: str, among: tuple[Path, ...] = ()) -> Task:
    words = ["evaluate.samples=4", "evaluate.batch_size=2", *(f"evaluate.{each}" for each in settings)]
    return plan_evaluation(run, folder, load_manifest(run / "manifest.yaml", words), among=among)


def drawn(task: Task) -> tuple[list[Panels], pa.Table]:
    return run_batch(load_setup(task, torch.device("cpu")), task.places, task.pictures[:2])


@pytest.fixture(scope="module")
def finished(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated") / "evaluation"
    evaluate(planned(run, folder), progress=lambda *_: None, actors=0)
    return folder


def test_what_another_evaluation_drew_without_control_is_taken_pixel_for_pixel(
    run: Path, finished: Path, tmp_path: Path
) -> None:
    weaker = planned(run, tmp_path / "weaker", "control_scale=0.5", among=(tmp_path, finished))
    assert weaker.floors == finished
    (panels, scores), (anew, same) = drawn(weaker), drawn(replace(weaker, floors=None))
    for found, expected in zip(panels, anew, strict=True):
        assert all(np.array_equal(found.pictures[name], expected.pictures[name]) for name in expected.pictures)
    assert scores.equals(same)


def test_it_is_read_and_not_drawn_again(run: Path, finished: Path, tmp_path: Path) -> None:
    weaker = planned(run, tmp_path / "weaker", "control_scale=0.5", among=(finished,))
    panels, _ = drawn(weaker)
    grey = [replace(each, pictures={**each.pictures, "floor": np.full((128, 128, 3), 9, np.uint8)}) for each in panels]
    (tmp_path / "grey" / PICTURES_FOLDER).mkdir(parents=True)
    pq.write_table(to_table(grey), tmp_path / "grey" / PICTURES_FOLDER / "000000-000002.parquet")
    again, _ = drawn(replace(weaker, floors=tmp_path / "grey"))
    assert all((each.pictures["floor"] == 9).all() for each in again)
    assert load_floors(tmp_path / "grey").read([(panels[0].key, 0), ("another", 0)]) is None


@pytest.mark.parametrize("setting", ["guidance=2", "steps=3", "prompts=none", "seed=1", "precision=bf16", "samples=3"])
def test_one_that_would_draw_others_is_not_taken(run: Path, finished: Path, tmp_path: Path, setting: str) -> None:
    assert planned(run, tmp_path / "other", setting, among=(finished,)).floors is None


def test_an_evaluation_takes_nothing_from_itself_nor_from_one_that_is_not_finished(run: Path, tmp_path: Path) -> None:
    planned(run, tmp_path / "begun")
    assert planned(run, tmp_path / "mine", among=(tmp_path / "begun", tmp_path / "mine")).floors is None
