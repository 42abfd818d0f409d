"""The command that turns a trained ControlNet into one file, and back."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, DDIMScheduler, StableDiffusionControlNetPipeline
from PIL import Image

from pipelines import convert
from tests.toy_run import train
from train.interchange.weights_file import read_weights
from train.run_folder import load_provenance


@pytest.fixture(scope="module")
def run(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "toy"
    train(toy / "toy.yaml", folder)
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(ControlNetModel.from_pretrained(folder).state_dict())


def test_a_run_becomes_one_file_and_a_folder_again_without_a_bit_changed(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert.main(run, tmp_path / "toy.safetensors")
    convert.main(tmp_path / "toy.safetensors", tmp_path / "toy")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"made {place}: 0.4 million weights as float32" for place in (tmp_path / "toy.safetensors", tmp_path / "toy")
    ]
    before, after = weights(run / "controlnet"), weights(tmp_path / "toy")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    convert.main(tmp_path / "toy", tmp_path / "again.safetensors")
    first, again = (read_weights(tmp_path / name) for name in ("toy.safetensors", "again.safetensors"))
    assert again.header == first.header
    assert all(torch.equal(again.weights[name], tensor) for name, tensor in first.weights.items())


def test_diffusers_draws_the_same_pictures_with_the_file_of_a_run(run: Path, toy: Path, tmp_path: Path) -> None:
    convert.main(run, tmp_path / "toy.safetensors")
    mine = ControlNetModel.from_pretrained(run / "controlnet")
    theirs = ControlNetModel.from_single_file(str(tmp_path / "toy.safetensors"), config=str(run / "controlnet"))
    hint = Image.fromarray(np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8))

    def drawn(net: ControlNetModel, scale: float) -> np.ndarray:
        pipeline = StableDiffusionControlNetPipeline.from_pretrained(toy / "base", controlnet=net, safety_checker=None)
        pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        said = {"generator": torch.Generator().manual_seed(3), "controlnet_conditioning_scale": scale}
        pictures = pipeline("red ball", image=hint, num_inference_steps=2, output_type="np", **said)
        return np.asarray(pictures.images[0])

    assert np.array_equal(drawn(mine, 1.0), drawn(theirs, 1.0))
    assert not np.array_equal(drawn(mine, 1.0), drawn(mine, 0.0))  # the control has a say


def test_the_file_says_what_it_was_trained_on_and_no_path_of_this_machine(run: Path, toy: Path, tmp_path: Path) -> None:
    convert.main(run, tmp_path / "toy.safetensors")
    header, provenance = read_weights(tmp_path / "toy.safetensors").header, load_provenance(run)
    assert header["pairmill.manifest_fingerprint"] == provenance.manifest_fingerprint
    assert header["pairmill.subset_fingerprint"] == provenance.subset_fingerprint
    assert header["pairmill.condition_fingerprint"] == provenance.family_fingerprint
    assert json.loads(header["pairmill.manifest"])["train"]["steps"] == 2
    assert json.loads(header["pairmill.manifest"])["dataset"].endswith("/playroom")
    assert str(toy) not in json.dumps(header)


def test_half_precision_takes_half_the_bytes(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert.main(run, tmp_path / "toy.safetensors")
    convert.main(run, tmp_path / "half.safetensors", fp16=True)
    convert.main(tmp_path / "half.safetensors", tmp_path / "half")
    assert capsys.readouterr().out.splitlines()[-1].endswith("million weights as float16")
    whole, half = ((tmp_path / name).stat().st_size for name in ("toy.safetensors", "half.safetensors"))
    assert half < 0.52 * whole
    mine, theirs = weights(run / "controlnet"), weights(tmp_path / "half")
    assert all(torch.equal(theirs[name], tensor.half().float()) for name, tensor in mine.items())


def test_nothing_is_overwritten(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_text("mine")
    for out in (tmp_path / "mine.safetensors", tmp_path):
        with pytest.raises(ValueError, match="it is there already"):
            convert.main(run, out)
    assert (tmp_path / "mine.safetensors").read_text() == "mine"


def test_no_pickle_is_written(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"written as \.safetensors alone\. Give .*toy\.safetensors"):
        convert.main(run, tmp_path / "toy.pth")


def test_a_control_that_is_more_than_a_controlnet_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "controlnet", tmp_path / "unlocked")
    described = tmp_path / "unlocked" / "control.json"
    described.write_text(described.read_text().replace('"kind": "controlnet"', '"kind": "unlocked_decoder"'))
    with pytest.raises(
        ValueError, match="a control of kind unlocked_decoder, which no ControlNet's layout holds whole"
    ):
        convert.main(tmp_path / "unlocked", tmp_path / "out.safetensors")


def test_a_folder_without_a_controlnet_is_refused(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no ControlNet in it"):
        convert.main(toy / "base", tmp_path / "out.safetensors")
    with pytest.raises(ValueError, match="there is no such folder or file"):
        convert.main(tmp_path / "none", tmp_path / "out.safetensors")
