import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from tests.train.saving_for_ever import ORIGIN as SAVED
from tests.train.saving_for_ever import Averaged, Saver, filled
from train.best import Best, read_best, replace_best
from train.checkpoint import load_checkpoint, load_newest, newest_checkpoint, save_checkpoint
from train.seal import FILE, Origin, Position, checkpoints, read_seal, step_of
from train.whole_folder import save_folder

ORIGIN = Origin("0123", {"subset": "ab", "train.seed": 0}, {"torch": "2"})


def position(step: int) -> Position:
    return Position(step=step, samples=4 * step, stage=0, processes=1, micro_batch=4)


def model_of(accelerator: Accelerator) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
    model = torch.nn.Linear(3, 2)
    prepared = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=0.1))
    return prepared[0], prepared[1]


def step(model: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
    model(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def moment(model: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> torch.Tensor:
    return torch.as_tensor(optimizer.state[model.weight]["exp_avg"])


def quiet(line: str) -> None:
    raise AssertionError(line)


def test_a_checkpoint_brings_back_weights_optimiser_scaler_and_average(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model, optimizer = model_of(accelerator)
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    average = Averaged(torch.zeros(3))
    accelerator.register_for_checkpointing(average)
    step(model, optimizer)
    average.weights += 7
    save_checkpoint(accelerator, tmp_path / "checkpoints", position(1), ORIGIN)
    weight, first = model.weight.detach().clone(), moment(model, optimizer).clone()
    step(model, optimizer)
    average.weights += 7
    accelerator.scaler.load_state_dict(torch.amp.GradScaler("cpu", init_scale=64.0).state_dict())
    assert load_newest(accelerator, tmp_path / "checkpoints", ORIGIN, say=quiet) == position(1)
    assert torch.equal(model.weight, weight)
    assert torch.equal(moment(model, optimizer), first)
    assert torch.equal(average.weights, torch.full((3,), 7.0))
    assert accelerator.scaler.get_scale() == 8.0


def test_moments_lie_in_memory_as_the_weights_do_that_they_are_loaded_for(tmp_path: Path) -> None:
    """The fused optimiser walks both alike, so that moments in another format would be other weights'."""
    stepped = []
    for formats in ((torch.channels_last,) * 2, (torch.channels_last, torch.contiguous_format)):
        for at, memory_format in enumerate(formats):
            AcceleratorState._reset_state(reset_partial_state=True)
            accelerator = Accelerator()
            torch.manual_seed(0)
            plain = torch.nn.Conv2d(4, 6, 3).to(memory_format=memory_format)
            optimizer = torch.optim.AdamW(plain.parameters(), lr=0.1, fused=True)
            model, optimizer = accelerator.prepare(plain, optimizer)
            if at:
                load_newest(accelerator, tmp_path / "checkpoints", ORIGIN, say=quiet)
            generator = torch.Generator().manual_seed(at)
            model(torch.randn(2, 4, 8, 8, generator=generator)).square().sum().backward()
            optimizer.step()
            if not at:
                save_checkpoint(accelerator, tmp_path / "checkpoints", position(1), ORIGIN)
        stepped.append(plain.weight.detach().contiguous())
        shutil.rmtree(tmp_path / "checkpoints")
    assert torch.allclose(*stepped, atol=1e-4)


def test_a_checkpoint_says_where_it_comes_from_and_how_large_each_file_is(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model_of(accelerator)
    save_checkpoint(accelerator, tmp_path, position(3), ORIGIN)
    seal = read_seal(tmp_path / "step-000003")
    assert (seal.position, seal.origin, seal.sharding) == (position(3), ORIGIN, "whole")
    there = {path.name: path.stat().st_size for path in (tmp_path / "step-000003").iterdir() if path.name != FILE}
    assert seal.files == there
    assert {"model.safetensors", "optimizer.bin"} <= there.keys()


def test_only_the_newest_checkpoints_stay(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model_of(accelerator)
    for number in (5, 10, 1_000_000):
        save_checkpoint(accelerator, tmp_path, position(number), ORIGIN, keep=2)
    assert [step_of(checkpoint) for checkpoint in checkpoints(tmp_path)] == [10, 1_000_000]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000010", "step-1000000"]


@pytest.mark.parametrize("tear", ["no seal", "half a seal", "a file less", "a file cut", "a file longer"])
def test_a_torn_checkpoint_is_passed_over_with_a_sentence_and_refused_by_name(tmp_path: Path, tear: str) -> None:
    accelerator = Accelerator()
    model, _ = model_of(accelerator)
    save_checkpoint(accelerator, tmp_path, position(1), ORIGIN)
    older = model.weight.detach().clone()
    with torch.no_grad():
        model.weight += 1
    save_checkpoint(accelerator, tmp_path, position(2), ORIGIN)
    _tear(tmp_path / "step-000002", tear)
    said: list[str] = []
    assert load_newest(accelerator, tmp_path, ORIGIN, say=said.append) == position(1)
    assert torch.equal(model.weight, older)
    assert len(said) == 1
    assert "step-000002" in said[0]
    assert "Going on from step-000001" in said[0]
    with pytest.raises(ValueError, match="step-000002"):
        load_checkpoint(accelerator, tmp_path / "step-000002", ORIGIN)


def test_a_run_whose_checkpoints_are_all_torn_does_not_silently_begin_anew(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model_of(accelerator)
    save_checkpoint(accelerator, tmp_path, position(1), ORIGIN)
    (tmp_path / "step-000001" / FILE).unlink()
    with pytest.raises(ValueError, match=r"has no checkpoint\.json.*Remove .* to begin"):
        newest_checkpoint(tmp_path, say=quiet)


def test_a_torn_checkpoint_makes_room_for_the_whole_one_of_its_step(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model_of(accelerator)
    save_checkpoint(accelerator, tmp_path, position(1), ORIGIN)
    (tmp_path / "step-000001" / FILE).unlink()
    save_checkpoint(accelerator, tmp_path, position(1), ORIGIN)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]
    assert load_newest(accelerator, tmp_path, ORIGIN, say=quiet) == position(1)


def test_a_checkpoint_of_another_run_is_refused_naming_the_difference(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model_of(accelerator)
    save_checkpoint(accelerator, tmp_path, position(1), ORIGIN)
    other = Origin("0123", {"subset": "cd", "train.seed": 0}, {"torch": "2"})
    with pytest.raises(ValueError, match="of another run: subset: 'ab' and 'cd'"):
        load_newest(accelerator, tmp_path, other, say=quiet)


def test_a_full_disk_is_said_and_leaves_the_older_checkpoints(tmp_path: Path) -> None:
    accelerator = Accelerator()
    model_of(accelerator)
    save_checkpoint(accelerator, tmp_path, position(1), ORIGIN)
    accelerator.register_for_checkpointing(_Full())
    with pytest.raises(ValueError, match=r"No space left.*--resume"):
        save_checkpoint(accelerator, tmp_path, position(2), ORIGIN)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]


def test_killed_at_any_moment_of_saving_every_checkpoint_that_loads_is_what_was_saved(tmp_path: Path) -> None:
    chance = Random(0)
    saver = subprocess.Popen(
        [sys.executable, "-m", "tests.train.saving_for_ever", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert saver.stdin
    assert saver.stdout
    here = Saver()
    loaded = reached = 0
    for _ in range(15):
        saver.stdin.write(f"{reached}\n")
        saver.stdin.flush()
        child, seconds = saver.stdout.readline().split()  # has saved step reached + 1, saves the next ones
        time.sleep(chance.uniform(0, 3 * float(seconds)))
        os.kill(int(child), signal.SIGKILL)
        assert saver.stdout.readline() == "killed\n"
        newest = newest_checkpoint(tmp_path / "checkpoints", say=quiet)
        for checkpoint in checkpoints(tmp_path / "checkpoints"):
            here.fill(0)
            assert load_checkpoint(here.accelerator, checkpoint, SAVED).step == step_of(checkpoint)
            assert all(torch.equal(tensor, filled(step_of(checkpoint))) for tensor in here.everything())
            loaded += 1
        assert newest
        assert step_of(newest) > reached
        reached = step_of(newest)
        best = read_best(tmp_path)
        assert best
        assert torch.equal(torch.load(tmp_path / "best" / "weights"), filled(best.step))
    saver.stdin.close()
    assert saver.wait() == 0
    assert loaded >= 15


def test_a_half_written_folder_is_taken_away_and_the_older_one_stays(tmp_path: Path) -> None:
    def write(text: str, folder: Path) -> None:
        (folder / "weights").write_text(text)
        if text == "new":
            raise OSError(28, "No space left on device")

    save_folder(lambda folder: write("old", folder), tmp_path / "controlnet")
    with pytest.raises(ValueError, match=r"No space left.*--resume"):
        save_folder(lambda folder: write("new", folder), tmp_path / "controlnet")
    assert [path.name for path in tmp_path.iterdir()] == ["controlnet"]
    assert (tmp_path / "controlnet" / "weights").read_text() == "old"


def test_the_best_weights_are_replaced_with_their_score(tmp_path: Path) -> None:
    assert read_best(tmp_path) is None
    for best in (Best(500, 0.25), Best(1500, 0.5)):
        replace_best(lambda folder, said=str(best): (folder / "weights").write_text(said), tmp_path, best)  # type: ignore[misc]
        assert read_best(tmp_path) == best
        assert (tmp_path / "best" / "weights").read_text() == str(best)
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_the_best_weights_come_back_if_their_replacement_was_cut_short(tmp_path: Path) -> None:
    replace_best(lambda folder: (folder / "weights").touch(), tmp_path, Best(500, 0.25))
    (tmp_path / "best").rename(tmp_path / ".best.older")  # where a process was killed between two renames
    assert read_best(tmp_path) == Best(500, 0.25)


class _Full:
    """A state that no disk has room for."""

    def state_dict(self) -> dict[str, object]:
        raise OSError(28, "No space left on device")

    def load_state_dict(self, state: dict[str, object]) -> None:
        raise AssertionError(state)


def _tear(checkpoint: Path, tear: str) -> None:
    weights, seal = checkpoint / "model.safetensors", checkpoint / FILE
    if tear == "no seal":
        seal.unlink()
    elif tear == "half a seal":
        seal.write_text(seal.read_text()[:100])
    elif tear == "a file less":
        (checkpoint / "optimizer.bin").unlink()
    elif tear == "a file cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    else:
        weights.write_bytes(weights.read_bytes() + b"0")
