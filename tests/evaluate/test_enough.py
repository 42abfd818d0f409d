from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from evaluate.job import PARTS_FOLDER, Evaluator, _check_all, evaluate
from evaluate.plan import Task, plan_evaluation
from evaluate.scores import SCHEMA
from evaluate.workers import on_actors
from manifests.manifest import load_manifest


def silent(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def scored(run: Path, tmp_path: Path) -> Task:
    """An evaluation all of whose pictures are scored, with nothing found in any of them."""
    task = plan_evaluation(run, tmp_path / "out", load_manifest(run / "manifest.yaml"))
    (task.folder / PARTS_FOLDER).mkdir()
    target = task.folder / PARTS_FOLDER / f"000000-{len(task.pictures):06d}.parquet"
    pq.write_table(SCHEMA.empty_table(), target)
    return task


def test_conditions_that_are_all_empty_are_one_message(scored: Task) -> None:
    with pytest.raises(ValueError, match=r"none of 8 samples asks for anything.*Raise evaluate.samples"):
        evaluate(scored, progress=silent)


def test_scores_that_another_machine_kept_to_itself_are_missed(scored: Task) -> None:
    (path,) = (scored.folder / PARTS_FOLDER).iterdir()
    path.rename(path.with_name("000000-000003.parquet"))
    with pytest.raises(ValueError, match=r"5 of 8 pictures are not here, though they were written"):
        _check_all(scored.folder / PARTS_FOLDER, 8)


def test_a_machine_that_does_not_see_the_folder_says_so(scored: Task) -> None:
    elsewhere = replace(scored, folder=scored.folder / "not-shared")
    with pytest.raises(ValueError, match=r"not-shared: .* does not see it. Give --out a folder that all machines"):
        list(on_actors(Evaluator, (elsewhere,), [{"start": 0, "stop": 1}], actors=0))


def test_one_sample_alone_is_refused_since_it_allows_no_interval(scored: Task) -> None:
    row = {"key": "a", "draw": 0, "seed": 0, "arm": "controlled", "measure": "f1", "value": 0.5}
    (path,) = (scored.folder / PARTS_FOLDER).iterdir()
    pq.write_table(SCHEMA.empty_table().from_pylist([row], schema=SCHEMA), path)
    with pytest.raises(ValueError, match=r"one sample of 8 asks for something"):
        evaluate(replace(scored), progress=silent)
