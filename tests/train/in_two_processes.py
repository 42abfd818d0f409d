"""Runs a few lines in two forked processes that accelerate joins, and prints what each of them says of it."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch._dynamo  # what `prepare` would import in each fork
from accelerate import Accelerator

from manifests.manifest import load_manifest
from tests.train.several import become_one_of_several, free_port
from train.agreed import once_per_machine
from train.checkpoint import save_checkpoint
from train.seal import Origin, Position, checkpoints
from train.training import prepare

ORIGIN = Origin("0123", {"subset": "ab"}, {})


def save_where_one_cannot(accelerator: Accelerator, folder: Path) -> object:
    """Save twice; the second time one process finds no room."""
    accelerator.prepare(torch.nn.Linear(2, 2))
    save_checkpoint(accelerator, folder, Position(1, 4, 0, 2, 2), ORIGIN)
    accelerator.register_save_state_pre_hook(lambda *_: _run_out() if accelerator.process_index else None)
    try:
        save_checkpoint(accelerator, folder, Position(2, 8, 0, 2, 2), ORIGIN)
    except ValueError as error:
        return [str(error), [path.name for path in checkpoints(folder)]]
    return "saved"


def build_on_each_disk(accelerator: Accelerator, folder: Path) -> object:
    """Make something on the disk of each machine, of which each process here is one."""
    return _build(accelerator, folder / f"machine-{accelerator.process_index}")


def build_on_one_disk(accelerator: Accelerator, folder: Path) -> object:
    """Make something where both see it."""
    return _build(accelerator, folder / "shared")


def _build(accelerator: Accelerator, folder: Path) -> list[str]:
    did = []

    def ensure() -> Path:
        if not folder.is_dir():
            folder.mkdir(parents=True)  # which raises if the other one did
            did.append("built")
        return folder

    return [once_per_machine(accelerator, ensure).name, *did]


def prepare_where_one_has_no_base(accelerator: Accelerator, folder: Path) -> object:
    """Prepare a training whose base lies on the disk of the first process alone."""
    manifest = load_manifest(Path(sys.argv[2]), [f"base={sys.argv[3] if accelerator.is_main_process else folder}"])
    try:
        prepare(manifest, folder / "run", [], resume=False, say=print)
    except ValueError as error:
        return str(error)
    return "prepared"


def _run_out() -> None:
    raise OSError(28, "No space left on device")


SCENES: list[Callable[[Accelerator, Path], object]] = [
    save_where_one_cannot,
    build_on_each_disk,
    build_on_one_disk,
    prepare_where_one_has_no_base,
]


def main() -> None:
    """Play every scene in two processes, each the first of a machine; print {scene: [what each gave]}."""
    folder, port = Path(sys.argv[1]), free_port()
    for rank in range(2):
        if not os.fork():
            become_one_of_several(rank, processes=2, port=port)
            os.environ["LOCAL_RANK"] = "0"
            accelerator = Accelerator(cpu=True)
            said = {scene.__name__: scene(accelerator, folder / scene.__name__) for scene in SCENES}
            (folder / f"rank-{rank}.json").write_text(json.dumps(said))
            os._exit(0)
    codes = [os.wait()[1] for _ in range(2)]
    sys.exit(any(codes))


if __name__ == "__main__":
    main()
