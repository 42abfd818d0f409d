import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from train.run import app

ROOT = Path(__file__).parents[2]


def run(manifest: Path, folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--manifest", str(manifest), "--run", str(folder), *options])


def launch(arguments: list[str], manifest: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "accelerate.commands.launch", *arguments, str(ROOT / "train" / "run.py")]
    command += ["--manifest", str(manifest), "--run", str(folder), *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=False)


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "controlnet" / "diffusion_pytorch_model.safetensors")


def equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_a_run_leaves_everything_it_promises(manifest_path: Path, tmp_path: Path) -> None:
    result = run(manifest_path, tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "6 steps, 24 samples" in result.output
    assert [path.name for path in sorted((tmp_path / "run" / "checkpoints").iterdir())] == [
        "step-000004",
        "step-000006",
    ]
    assert [path.name for path in sorted((tmp_path / "run" / "samples").iterdir())] == [
        "step-000003.png",
        "step-000006.png",
    ]
    assert any((tmp_path / "run" / "tensorboard").iterdir())
    assert len(losses(tmp_path / "run")) == 6
    grid = Image.open(tmp_path / "run" / "samples" / "step-000006.png")
    # Hint, real and drawn of two pictures of 32 pixels, with gaps of 4 and lines of 16 for titles and captions.
    assert grid.size == (3 * 36, 16 + 2 * (16 + 36))
    provenance = json.loads((tmp_path / "run" / "controlnet" / "provenance.json").read_text())
    assert provenance["rows"] == 16
    assert provenance["manifest"]["train"]["steps"] == 6
    assert {"subset_fingerprint", "family_fingerprint", "versions", "git"} <= provenance.keys()


@pytest.mark.parametrize(
    "setting",
    [
        "train.ema=null",
        "train.ema=0.5",
        "train.stages=[{kind: mid_only, steps: 4}]",  # which ends where the checkpoint is
        "train.stages=[{kind: mid_only, steps: 1}, {kind: controlnet, steps: 2}]",
    ],
)
def test_a_run_that_stops_and_goes_on_is_bit_equal_to_one_that_does_not(
    manifest_path: Path, tmp_path: Path, setting: str
) -> None:
    assert run(manifest_path, tmp_path / "whole", "--set", setting).exit_code == 0
    # It was killed in step 6: logged up to step 5, saved after step 4.
    assert run(manifest_path, tmp_path / "parts", "--set", setting, "--set", "train.steps=5").exit_code == 0
    shutil.rmtree(tmp_path / "parts" / "checkpoints" / "step-000005")
    result = run(manifest_path, tmp_path / "parts", "--resume", "--set", setting)
    assert result.exit_code == 0, result.output
    assert "2 steps" in result.output
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    assert equal(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    assert len(json.loads((tmp_path / "parts" / "provenance.json").read_text())["resumed"]) == 1


def test_a_run_goes_on_when_the_weights_that_it_began_with_are_gone(
    manifest_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_DYNAMO_BACKEND", "INDUCTOR")  # of accelerate's own configuration: not heeded
    assert run(manifest_path, tmp_path / "first", "--set", "train.steps=1").exit_code == 0
    further = ("--set", f"control.initial={tmp_path / 'first'}", "--resume")
    assert run(manifest_path, tmp_path / "second", *further, "--set", "train.steps=2").exit_code == 0
    shutil.rmtree(tmp_path / "first")
    result = run(manifest_path, tmp_path / "second", *further, "--set", "train.steps=3")
    assert result.exit_code == 0, result.output
    result = run(manifest_path, tmp_path / "third", *further)
    assert "no such folder" in result.stderr


def test_a_run_is_not_made_shorter_than_it_is(manifest_path: Path, tmp_path: Path) -> None:
    assert run(manifest_path, tmp_path / "run", "--set", "train.steps=4").exit_code == 0
    result = run(manifest_path, tmp_path / "run", "--resume", "--set", "train.steps=3")
    assert result.exit_code == 1
    assert "4 steps are done, and train.steps is 3. Raise it" in result.stderr


def test_a_folder_that_holds_another_run_is_refused_and_stays_as_it_was(manifest_path: Path, tmp_path: Path) -> None:
    assert run(manifest_path, tmp_path / "run", "--set", "train.steps=1").exit_code == 0
    before = _files(tmp_path / "run")
    for options in ((), ("--resume",)):
        result = run(manifest_path, tmp_path / "run", "--set", "train.learning_rate=0.1", *options)
        assert result.exit_code == 1
        assert "another run is here: its train.learning_rate is 0.001, this one's is 0.1" in result.stderr
    result = run(manifest_path, tmp_path / "run", "--set", "rows=8", "--resume")
    assert "its subset is" in result.stderr
    result = run(manifest_path, tmp_path / "run")
    assert "Add --resume" in result.stderr
    assert _files(tmp_path / "run") == before


def test_a_folder_that_holds_no_run_is_refused(manifest_path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    result = run(manifest_path, tmp_path / "mine", "--resume")
    assert result.exit_code == 1
    assert "holds no run" in result.stderr


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("rows=1000", "1000 rows are asked for"),
        ("condition=cany", "canny"),
        ("base=./nowhere", "there is no folder"),
        ("resolution=30", "not a multiple of the base's stride 8. Take 24"),
        ("train.stepz=3", "steps"),
    ],
)
def test_a_wrong_manifest_is_refused_before_anything_is_written(
    manifest_path: Path, tmp_path: Path, *, setting: str, message: str
) -> None:
    result = run(manifest_path, tmp_path / "run", "--set", setting)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "run").exists()


def test_two_processes_compute_what_one_does(manifest_path: Path, tmp_path: Path) -> None:
    assert run(manifest_path, tmp_path / "one").exit_code == 0
    done = launch(["--num_processes", "2"], manifest_path, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "two" / "provenance.json").read_text())["processes"] == 2
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    # Adam's first steps have the size of the learning rate wherever a gradient is, however small: 6 of them are 6e-3.
    assert all(torch.allclose(one[name], two[name], atol=2e-3) for name in one)


def test_training_in_bfloat16_leaves_float32_weights(manifest_path: Path, tmp_path: Path) -> None:
    result = run(manifest_path, tmp_path / "run", "--set", "train.precision=bf16", "--set", "engine.workers=1")
    assert result.exit_code == 0, result.output
    assert {weight.dtype for weight in weights(tmp_path / "run").values()} == {torch.float32}


def test_plain_diffusers_draws_with_the_controlnet(manifest_path: Path, tmp_path: Path, base_folder: Path) -> None:
    assert run(manifest_path, tmp_path / "run", "--set", "train.steps=2").exit_code == 0
    controlnet = ControlNetModel.from_pretrained(tmp_path / "run" / "controlnet")
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(base_folder, controlnet=controlnet)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("circle", image=Image.new("RGB", (32, 32)), num_inference_steps=2).images[0]
    assert picture.size == (32, 32)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
