"""Probes in a whole run, of one process and of two that share the rows unequally."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.toy_run import train, write_dataset, write_manifest
from tests.train.test_judge import ADHERENCE, install
from tests.train.test_run import launch

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
