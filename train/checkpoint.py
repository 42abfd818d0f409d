"""Checkpoints: one that can be loaded is whole, and training goes on from it with the very next sample."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedType

from manifests.difference import differences
from train.agreed import agreed
from train.seal import Origin, Position, Seal, Torn, checkpoints, named, read_seal, step_of, write_seal
from train.whole_folder import aside_of, explained, put_into_place, remove, sweep, sync

PIECES = {DistributedType.FSDP: "fsdp", DistributedType.DEEPSPEED: "deepspeed"}  # others keep every weight everywhere


def save_checkpoint(
    accelerator: Accelerator, folder: Path, position: Position, origin: Origin, *, keep: int = 2
) -> None:
    """Save all that accelerate prepared or was told of; every process must call this, at the same step.

    That is weights, optimiser, the scaler of float16, and what was registered for checkpointing, as averaged weights.
    Accelerate also saves generators, and no result hangs on them: every draw is a function of (seed, key, epoch), and
    nothing drops out. Of whole weights the first process writes one copy; sharded ones, each process its own pieces.

    Args:
        folder: RUN/checkpoints, which every machine of the run sees.
        keep: so many stay, the newest.

    Raises:
        ValueError: One process could not write; said alike in all of them, and the older checkpoints are still there.
    """
    target = folder / f"step-{position.step:06d}"
    aside = aside_of(target)
    main = accelerator.is_main_process
    try:
        agreed(lambda: _begin(folder) if main else None)
        agreed(lambda: _write(accelerator, aside))
        sizes = agreed(lambda: _sync(aside) if accelerator.is_local_main_process else {})
        files = {name: size for of_machine in sizes for name, size in of_machine.items()}
        seal = Seal(position, origin, _sharding(accelerator), files)
        agreed(lambda: _commit(aside, target, seal, keep=keep) if main else None)
    except ValueError:
        if main:
            shutil.rmtree(aside, ignore_errors=True)
        raise


def load_checkpoint(accelerator: Accelerator, checkpoint: Path, origin: Origin) -> Position:
    """Restore what `save_checkpoint` saved, in every process, of whatever number.

    Raises:
        ValueError: It is torn, of another run, or was saved in other pieces than this run's; says alike in all what
            differs.
    """
    seal = agreed(lambda: _checked(accelerator, checkpoint, origin) if accelerator.is_main_process else None)[0]
    assert seal is not None
    agreed(lambda: _read(accelerator, checkpoint))
    return seal.position


def load_newest(
    accelerator: Accelerator, folder: Path, origin: Origin, *, say: Callable[[str], None]
) -> Position | None:
    """Restore the newest whole checkpoint, in every process; None if there is none at all.

    Args:
        say: told of torn ones that are passed over, and of what is not as it was.

    Raises:
        ValueError: All are torn, or the newest whole one is not of this run.
    """
    main = accelerator.is_main_process
    newest = agreed(lambda: newest_checkpoint(folder, say=say) if main else None)[0]
    if newest is None:
        return None
    position = load_checkpoint(accelerator, newest, origin)
    if main and position.processes != accelerator.num_processes:
        say(
            f"{newest}: saved by {position.processes} processes, and {accelerator.num_processes} go on: with the same "
            "samples and draws, and losses equal to rounding"
        )
    return position


def newest_checkpoint(folder: Path, *, say: Callable[[str], None]) -> Path | None:
    """Find the newest whole checkpoint; None if the folder holds none, whole or torn.

    Raises:
        ValueError: All are torn; to begin anew is not for us to decide.
    """
    found = named(folder)
    reasons = []
    for checkpoint in reversed(found):
        try:
            read_seal(checkpoint)
        except Torn as torn:
            reasons.append(str(torn))
            continue
        for reason in reasons:
            say(f"{reason}. Going on from {checkpoint.name}, the one before it")
        return checkpoint
    if reasons:
        raise ValueError(f"{'; '.join(reasons)}. Remove {folder} to begin with the first step")
    return None


def _begin(folder: Path) -> None:
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)


def _write(accelerator: Accelerator, aside: Path) -> None:
    with explained(aside.parent), _unwrapped(accelerator):
        accelerator.save_state(str(aside))


def _sync(aside: Path) -> dict[str, int]:
    with explained(aside.parent):
        return sync(aside)


def _commit(aside: Path, target: Path, seal: Seal, *, keep: int) -> None:
    with explained(target.parent):
        write_seal(aside, seal)
        sync(aside)
        put_into_place(aside, target)
        stay = checkpoints(target.parent)[-keep:]
        for old in named(target.parent):
            if old not in stay and step_of(old) < seal.position.step:
                remove(old)


def _checked(accelerator: Accelerator, checkpoint: Path, origin: Origin) -> Seal:
    """Read the seal of a checkpoint that this run may load."""
    seal = read_seal(checkpoint)
    differing = differences(seal.origin.identity, origin.identity)
    if differing:
        raise ValueError(f"{checkpoint}: of another run: {'; '.join(differing)}. Name another folder with --run")
    if seal.sharding != _sharding(accelerator):
        raise ValueError(
            f"{checkpoint}: saved as {seal.sharding}, and this run would read it as {_sharding(accelerator)}. "
            "Launch with the same kind of accelerate configuration as before"
        )
    return seal


def _read(accelerator: Accelerator, checkpoint: Path) -> None:
    try:
        with _unwrapped(accelerator):
            accelerator.load_state(str(checkpoint))
        _lay_out(accelerator)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{checkpoint}: could not be read: {error}") from error


def _lay_out(accelerator: Accelerator) -> None:
    """Give moments the memory format of their weights, which were saved in another if `engine.channels_last` changed.

    Fused kernels walk the memory of both alike, whatever the strides say.

    Raises:
        ValueError: They are in 8 bits, whose scales are of stretches of memory and can't follow.
    """
    for optimizer in accelerator._optimizers:  # accelerate has no public list of them
        for weight, state in optimizer.state.items():
            for name, value in state.items():
                if not isinstance(value, torch.Tensor) or value.shape != weight.shape:
                    continue
                if not value.is_floating_point() and value.stride() != weight.stride():
                    raise ValueError("engine.channels_last: moments in 8 bits stay in the format that they began in")
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


@contextmanager
def _unwrapped(accelerator: Accelerator) -> Iterator[None]:
    """Name weights alike, whether one process trains them or several do, whose wrapper adds "module." to each name."""

    def on_save(models: list[torch.nn.Module], weights: list[dict[str, torch.Tensor]], _folder: str) -> None:
        if weights:  # none are given where each process writes its own pieces
            weights[:] = [accelerator.unwrap_model(model).state_dict() for model in models]

    def on_load(models: list[torch.nn.Module], _folder: str) -> None:
        models[:] = [accelerator.unwrap_model(model) for model in models]

    handles = accelerator.register_save_state_pre_hook(on_save), accelerator.register_load_state_pre_hook(on_load)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _sharding(accelerator: Accelerator) -> str:
    return PIECES.get(accelerator.distributed_type, "whole")
