import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
import yaml

from annotate.job import connect
from evaluate.studies.plan import Pace, estimates
from evaluate.studies.report import write_grid_report
from evaluate.studies.ways import Grid
from evaluate.studies.work import Share, as_task, gather_largest, on_cluster, works_of
from manifests.manifest import load_manifest
from manifests.study import Study, cells, load_study
from manifests.training_set.prepared import prepared
from pipelines.study import expand, main, run_study
from tests.toy_run import train

ROOT = Path(__file__).parents[2]


STEPS = ["train.steps=60", "watch.checkpoint_every=5"]


def write_study(path: Path, **fields: object) -> Path:
    path.write_text(yaml.safe_dump(fields, sort_keys=False))
    return path


def run(study: Study, folder: Path, share: Share | None = None) -> Grid:
    return run_study(study, expand(study, folder, []), share, actors=0)


def test_a_study_sets_three_sizes_side_by_side(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = load_study(write_study(toy / "sizes.yaml", name="sizes", manifest="toy.yaml", axes={"rows": [16, 4, 8]}))
    for rows in (8, 16):  # two are trained already, and left alone; the study trains the third
        train(toy / "toy.yaml", tmp_path / f"rows-{rows:06d}", "--set", f"rows={rows}")
    weights = tmp_path / "rows-000008" / "controlnet" / "diffusion_pytorch_model.safetensors"
    before = weights.stat().st_mtime_ns
    report = write_grid_report(run(study, tmp_path), tmp_path)
    assert weights.stat().st_mtime_ns == before
    found = json.loads((tmp_path / "report.json").read_text())
    assert [way["labels"]["rows"] for way in found["ways"]] == ["4", "8", "16"]
    assert all(way["normalised"]["low"] <= way["normalised"]["high"] for way in found["ways"])
    assert all(way["cost"]["samples"] == 4 for way in found["ways"])
    assert [one["beside"] for one in found["compared"]] == ["4 rows", "4 rows"]
    assert found["headline"] in report.read_text()
    assert "sizes: 3 of 3 trainings done or failed" in capsys.readouterr().out


def test_a_training_that_fails_stands_in_the_report_and_stops_no_other(
    toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kinds = {"plain": {}, "wrong": {"control.joining": "sum", "train.learning_rate": 1e9}, "slow": {"rows": 8}}
    study = load_study(write_study(toy / "kinds.yaml", name="kinds", manifest="toy.yaml", axes={"kind": kinds}))
    (tmp_path / "kind-wrong").mkdir()
    (tmp_path / "kind-wrong" / "another.txt").write_text("somebody else's")
    for name, rows in (("plain", 16), ("slow", 8)):
        train(toy / "toy.yaml", tmp_path / f"kind-{name}", "--set", f"rows={rows}")
    grid = run(study, tmp_path)
    assert [way.labels["kind"] for way in grid.ways] == ["plain", "slow"]
    assert list(grid.failed) == ["kind-wrong"]
    assert "kind-wrong failed: " in capfd.readouterr().err


def test_a_study_that_asks_for_too_many_rows_is_refused_before_it_trains(toy: Path, tmp_path: Path) -> None:
    study = load_study(write_study(toy / "many.yaml", name="many", manifest="toy.yaml", axes={"rows": [4, 1_000]}))
    with pytest.raises(ValueError, match="1000 rows are asked for"):
        run(study, tmp_path / "many")
    assert not (tmp_path / "many").exists()


def test_sizes_share_a_training_set_that_is_made_before_any_trains(toy: Path, tmp_path: Path) -> None:
    axes = {"rows": [4, 8, 1_000], "where": {"any": {}, "wide": {"where": "width > 1"}}}
    study = load_study(write_study(toy / "shared.yaml", name="shared", manifest="toy.yaml", axes=axes))
    works = works_of(study, tmp_path, ["seed=7"])
    said: list[str] = []
    gather_largest(works, said.append)
    assert [line for line in said if line.startswith("no training set of 1,000 rows: ")]
    few = [work for work in works if work.manifest.rows < 1_000]
    assert all(prepared(work.manifest) is None for work in few)
    gather_largest(few, said.append)
    assert all(prepared(work.manifest) is not None for work in few)


def test_a_study_that_judges_what_cannot_be_judged_is_refused_before_it_trains(toy: Path, tmp_path: Path) -> None:
    for field, wrong, message in (
        ("evaluate.scheduler", "dim", "there is no scheduler 'dim'"),
        ("evaluate.scored", "depth", "'depth' was not shown in training"),
    ):
        axes = {"kind": {"right": {}, "wrong": {field: wrong}}}
        study = load_study(write_study(toy / "judged.yaml", name="judged", manifest="toy.yaml", axes=axes))
        with pytest.raises(ValueError, match=message):
            run(study, tmp_path / "judged")
    assert not (tmp_path / "judged").exists()


def test_what_is_only_judged_otherwise_is_trained_once_and_at_once_with_others(toy: Path, tmp_path: Path) -> None:
    axes = {"train.prompt_drop": [0.0, 0.5], "evaluate.prompts": ["perfect", "none"]}
    study = load_study(write_study(toy / "prompts.yaml", name="prompts", manifest="toy.yaml", axes=axes))
    grid = run(study, tmp_path, Share(cores=1, gpus=0))
    assert [tuple(way.labels.values()) for way in grid.ways] == [
        ("0.0", "perfect"),
        ("0.0", "none"),
        ("0.5", "perfect"),
        ("0.5", "none"),
    ]
    runs = sorted(path.parent.name for path in tmp_path.glob("*/provenance.json"))
    assert runs == ["train.prompt_drop-0.0", "train.prompt_drop-0.5"]
    assert grid.ways[0].folder == tmp_path / runs[0] / "evaluation"
    assert grid.ways[1].folder.parent == tmp_path / runs[0]
    assert grid.ways[0].floor != grid.ways[1].floor, "the base alone follows captions too"


def test_a_killed_study_goes_on_and_leaves_no_second_writer(toy: Path, tmp_path: Path) -> None:
    axes = {"rows": [4, 8]}
    path = write_study(toy / "kill.yaml", name="kill", manifest="toy.yaml", axes=axes, overrides=STEPS)
    command = [sys.executable, str(ROOT / "pipelines" / "study.py"), str(path), "--out", str(tmp_path / "study")]
    started = subprocess.Popen(command, start_new_session=True)
    checkpoints = tmp_path / "study" / "rows-000004" / "checkpoints"
    deadline = time.monotonic() + 240
    while not list(checkpoints.glob("step-*")):
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    log = tmp_path / "study" / "rows-000004" / "log.jsonl"
    time.sleep(1)
    size = log.stat().st_size
    time.sleep(2)
    assert log.stat().st_size == size, "the training of a study that was killed goes on"
    done = len(log.read_text().splitlines())
    assert 5 <= done < 60
    grid = run(load_study(path), tmp_path / "study")
    assert [way.cost.samples for way in grid.ways] == [120, 120]
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == list(range(1, 61))
    said = (tmp_path / "study" / "manifests" / "rows-000004.log").read_text()
    assert "60 steps" not in said, "it went on from a checkpoint"
    assert " steps, " in said


def test_a_plan_knows_what_is_done_and_what_each_budget_leaves(toy: Path, tmp_path: Path) -> None:
    kinds = {"controlnet": {}, "lite": {"control.kind": "lite"}}
    fields = {"axes": {"kind": kinds}, "budget": ["samples", "flops"], "overrides": ["train.steps=300"]}
    study = load_study(write_study(toy / "budget.yaml", name="budget", manifest="toy.yaml", **fields))
    works = works_of(study, tmp_path, [])
    assert [work.name for work in works] == [  # the first is the same under both budgets
        "kind-controlnet_budget-samples",
        "kind-lite_budget-samples",
        "kind-lite_budget-flops",
    ]
    pace = Pace(start=10, flops=1e9, first_picture=5, picture_flops=1e9, picture_bytes=1e4)
    first, same, more = estimates(works, pace)
    assert works[1].manifest.train.steps == 300 < works[2].manifest.train.steps
    assert first.flops == pytest.approx(more.flops, rel=0.01)
    assert same.flops < first.flops
    assert first.training > 10 + first.flops / 1e9 - 1e-6
    assert same.judging < estimates(works[1:], pace)[0].judging  # else it has to draw what the base draws alone


def test_a_plan_is_made_by_a_trial(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best = ["watch.export=best", "watch.probe_every=1", "watch.probe_rows=2"]
    path = write_study(toy / "plan.yaml", name="plan", manifest="toy.yaml", axes={"rows": [4, 8]}, overrides=best)
    main(path, out=tmp_path / "plan", plan=True)
    printed = capsys.readouterr().out
    assert "2 trainings" in printed
    assert "In all 0." in printed
    assert not (tmp_path / "plan" / "rows-000004").exists()
    assert load_manifest(tmp_path / "plan" / "manifests" / "rows-000008.yaml").rows == 8


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4]}}, "two different values or more"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 4]}}, "two different values or more"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {}}, "nothing is varied"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"where": ["a > 1", "a > 2"]}}, "Give the values labels"),
        ({"name": "../s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}}, "Leave out slashes"),
        ({"name": "s", "manifest": "toy.yaml", "axis": {"rows": [4, 8]}}, "Did you mean 'axes'"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "repeats": 0}, "repeats = 0"),
        ({"name": "s", "axes": {"rows": [4, 8]}}, "manifest: Field required"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "budget": "hours"}, "budget"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"budget": ["steps", "flops"]}}, "its own field"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [1e3, 1e4]}}, "it takes whole numbers"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": {"few": {"rows": 4}}}}, "it takes whole numbers"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"train.seed": [1, 2]}, "repeats": 2}, "axes vary a seed"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "without": [{}]}, "fewer than two ways"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "against": [{"rows": "5"}]}, "against.0: row"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "against": [{"row": "4"}]}, "axes are rows"),
        ({"name": "s", "manifest": "toy.yaml", "axes": {"rows": [4, 8]}, "against": [{"rows": ["4"]}]}, "against"),
    ],
)
def test_a_wrong_study_is_refused_by_field(tmp_path: Path, *, fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_study(write_study(tmp_path / "study.yaml", **fields))


def test_a_budget_may_be_left_out_of_a_way(tmp_path: Path) -> None:
    fields = {"budget": ["samples", "flops"], "without": [{"rows": "4", "budget": "flops"}]}
    path = write_study(tmp_path / "s.yaml", name="s", manifest="toy.yaml", axes={"rows": [4, 8]}, **fields)
    found = cells(load_study(path), seed=0, train_seed=0)
    assert [tuple(cell.labels.values()) for cell in found] == [("4", "samples"), ("8", "samples"), ("8", "flops")]


def test_what_a_study_varies_cannot_be_set_for_all(toy: Path, tmp_path: Path) -> None:
    study = load_study(write_study(toy / "set.yaml", name="set", manifest="toy.yaml", axes={"rows": [4, 8]}, repeats=2))
    with pytest.raises(ValueError, match=r"--set rows=16: the study varies rows"):
        works_of(study, tmp_path, ["rows=16"])
    seeds = [work.manifest.train.seed for work in works_of(study, tmp_path, ["train.seed=7"])]
    assert seeds == [7, 7, 8, 8]


def test_a_training_without_a_gpu_in_its_share_sees_none() -> None:
    connect()
    seen = as_task(lambda: os.environ.get("CUDA_VISIBLE_DEVICES"), Share(cores=1, gpus=0)).remote()
    assert ray.get(seen) == ""


def test_more_than_the_cluster_has_is_refused(toy: Path, tmp_path: Path) -> None:
    study = load_study(write_study(toy / "much.yaml", name="much", manifest="toy.yaml", axes={"rows": [4, 8]}))
    works = expand(study, tmp_path, [])
    with pytest.raises(ValueError, match=r"takes 1 cores and 64 GPUs, and the cluster has .* GPUs\. Ask for less"):
        next(on_cluster(works, Share(cores=1, gpus=64)))


def test_paths_of_an_axis_are_relative_to_the_study(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    axes = {"on": {"here": {"dataset": "there", "base": "base"}, "else": {"dataset": "s3://bucket/x", "base": "a/hub"}}}
    study = load_study(write_study(tmp_path / "s.yaml", name="s", manifest="toy.yaml", axes=axes))
    assert study.axes["on"] == {
        "here": {"dataset": str(tmp_path / "there"), "base": str(tmp_path / "base")},
        "else": {"dataset": "s3://bucket/x", "base": "a/hub"},
    }


def test_the_study_that_comes_with_the_repository_can_be_read() -> None:
    study = load_study(ROOT / "manifests" / "studies" / "size_quickstart.yaml")
    assert len(cells(study, seed=0, train_seed=0)) >= 3
    assert study.manifest == ROOT / "manifests" / "quickstart.yaml"
