from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from train.checkpoint import checkpoints, load_checkpoint, save_checkpoint, save_folder, step_of


def test_a_checkpoint_brings_back_weights_and_optimiser(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model, optimizer = _model(accelerator)
    _step(model, optimizer)
    save_checkpoint(accelerator, tmp_path / "checkpoints", step=1)
    weight, moment = model.weight.detach().clone(), _moment(model, optimizer).clone()
    _step(model, optimizer)
    assert load_checkpoint(accelerator, checkpoints(tmp_path / "checkpoints")[-1]) == 1
    assert torch.equal(model.weight, weight)
    assert torch.equal(_moment(model, optimizer), moment)


def test_only_the_newest_two_checkpoints_stay(tmp_path: Path) -> None:
    accelerator = Accelerator()
    _model(accelerator)
    for step in (5, 10, 1_000_000):
        save_checkpoint(accelerator, tmp_path, step=step)
    assert [step_of(checkpoint) for checkpoint in checkpoints(tmp_path)] == [10, 1_000_000]


def test_a_half_written_folder_is_taken_away_and_the_older_one_stays(tmp_path: Path) -> None:
    def write(text: str, folder: Path) -> None:
        folder.mkdir()
        (folder / "weights").write_text(text)
        if text == "new":
            raise OSError(28, "No space left on device")

    save_folder(lambda folder: write("old", folder), tmp_path / "controlnet")
    with pytest.raises(ValueError, match=r"No space left.*--resume"):
        save_folder(lambda folder: write("new", folder), tmp_path / "controlnet")
    assert [path.name for path in tmp_path.iterdir()] == ["controlnet"]
    assert (tmp_path / "controlnet" / "weights").read_text() == "old"


def test_a_folder_left_by_a_killed_process_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / ".step-000007.partial").mkdir()
    assert checkpoints(tmp_path) == []


def _model(accelerator: Accelerator) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
    model = torch.nn.Linear(3, 2)
    prepared = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=0.1))
    return prepared[0], prepared[1]


def _step(model: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
    model(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def _moment(model: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> torch.Tensor:
    return torch.as_tensor(optimizer.state[model.weight]["exp_avg"])
