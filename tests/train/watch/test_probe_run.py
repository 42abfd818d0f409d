"""Probes in a whole run, of one process and of two that share the rows unequally."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.toy_run import train, write_dataset, write_manifest
from tests.train.test_run import launch
from tests.train.watch.test_judge import ADHERENCE, install

SET = ("watch.probe_every=2", "watch.probe_rows=3", "evaluate.batch_size=1", "resolution=64")
WATCHED = [word for setting in SET for word in ("--set", setting)]


def scores(run: Path) -> list[float]:
    lines = [json.loads(line) for line in (run / "observed.jsonl").read_text().splitlines()]
    return [line["probe/f1_1px"] for line in lines if "probe/f1_1px" in line]


def test_two_processes_probe_what_one_does_and_keep_the_best(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed").mkdir()
    install(tmp_path / "installed", ADHERENCE)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "installed"), os.environ.get("PYTHONPATH", "")]))
    write_dataset(tmp_path / "playroom")
    manifest = write_manifest(tmp_path / "toy.yaml", tmp_path / "playroom", base_folder)
    train(manifest, tmp_path / "one", *WATCHED)
    done = launch(["--num_processes", "2"], manifest, tmp_path / "two", *WATCHED)
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path / "two") == pytest.approx(scores(tmp_path / "one"), abs=0.02)
    (score,) = scores(tmp_path / "one")
    best = json.loads((tmp_path / "one" / "best" / "best.json").read_text())
    assert best == {"step": 2, "score": score}
    grids = [Image.open(tmp_path / run / "samples" / "step-000002.png") for run in ("one", "two")]
    assert grids[0].size == grids[1].size


def test_a_run_that_ended_early_stays_ended_until_its_patience_is_raised(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed").mkdir()
    install(tmp_path / "installed", ADHERENCE)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    write_dataset(tmp_path / "playroom")
    manifest, run = write_manifest(tmp_path / "toy.yaml", tmp_path / "playroom", base_folder), tmp_path / "run"
    still = ("train.steps=6", "train.learning_rate=1e-12", "watch.probe_every=1", "watch.patience=1")
    asked = [*WATCHED, *(word for setting in still for word in ("--set", setting))]
    train(manifest, run, *asked)
    ended = steps_of(run)
    assert ended < 6
    train(manifest, run, *asked, "--resume")
    assert steps_of(run) == ended
    train(manifest, run, *asked, "--set", "watch.patience=9", "--resume")
    assert steps_of(run) == 6


def steps_of(run: Path) -> int:
    """After how many steps the weights of a run were taken."""
    return int(json.loads((run / "controlnet" / "steps.json").read_text())["steps"])
