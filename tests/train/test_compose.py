import shutil
from pathlib import Path

import pytest
import torch
import yaml

from evaluate.batch import load_setup, run_batch
from evaluate.plan import plan_evaluation, trained_steps
from manifests.manifest import load_manifest
from tests.toy_run import train, write_dataset, write_manifest
from train.base import load_base
from train.compose import compose
from train.control.controlnet import ControlNet
from train.control.registry import load_control


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Path:
    """Runs on edges and on depth, of the same pictures."""
    home = tmp_path_factory.mktemp("home")
    write_dataset(home / "playroom")
    manifest = write_manifest(home / "toy.yaml", home / "playroom", base_folder)
    train(manifest, home / "canny")
    train(manifest, home / "depth", "--set", "condition=truth_depth")
    return home


def test_a_composed_control_sums_what_its_parts_say(home: Path, base_folder: Path) -> None:
    compose([home / "canny", home / "depth"], home / "both")
    base = load_base(str(base_folder))
    both = load_control(home / "both" / "controlnet", base.unet)
    assert isinstance(both, ControlNet)
    parts = [load_control(home / name / "controlnet", base.unet) for name in ("canny", "depth")]
    for net, part in zip(both.nets, parts, strict=True):
        assert isinstance(part, ControlNet)
        for own, other in zip(net.parameters(), part.net.parameters(), strict=True):
            assert torch.equal(own, other)


def test_a_composed_run_is_evaluated_as_any_other(home: Path) -> None:
    run = home / "both-evaluated"
    compose([home / "canny", home / "depth"], run)
    task = plan_evaluation(run, home / "evaluation", load_manifest(run / "manifest.yaml"))
    _, scores = run_batch(load_setup(task, torch.device("cpu")), task.places, task.pictures[:2])
    assert {"controlled", "floor", "ceiling"} <= set(scores["arm"].to_pylist())
    assert trained_steps(run) == trained_steps(home / "canny")


def test_runs_that_do_not_fit_together_are_refused_by_name(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(home / "depth", other)
    said = yaml.safe_load((other / "manifest.yaml").read_text())
    (other / "manifest.yaml").write_text(yaml.safe_dump({**said, "resolution": 64}))
    with pytest.raises(ValueError, match=r"other: its resolution is 64, and that of .*canny is 128"):
        compose([home / "canny", other], tmp_path / "out")
    with pytest.raises(ValueError, match="it reads canny, as"):
        compose([home / "canny", home / "canny"], tmp_path / "out")
    with pytest.raises(ValueError, match="two runs or more"):
        compose([home / "canny"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_controls_of_other_kinds_are_not_summed(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "mid"
    shutil.copytree(home / "depth", other)
    said = yaml.safe_load((other / "manifest.yaml").read_text())
    (other / "manifest.yaml").write_text(yaml.safe_dump({**said, "control": {**said["control"], "kind": "mid_only"}}))
    with pytest.raises(ValueError, match="its kind of control is mid_only"):
        compose([home / "canny", other], tmp_path / "out")


def test_a_composed_run_has_no_training_set_of_its_own(home: Path) -> None:
    run = home / "both-split"
    compose([home / "canny", home / "depth"], run)
    manifest = load_manifest(run / "manifest.yaml", ["evaluate.split=train"])
    with pytest.raises(ValueError, match=r"evaluate the train split of .*canny, .*depth"):
        plan_evaluation(run, home / "seen", manifest)
