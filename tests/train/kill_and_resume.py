"""Kills trainings at random steps, lets them go on, and compares them with one that nothing happened to.

python -m tests.train.kill_and_resume        ten kills of one process, ten of two; then from one to two and back
"""

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from random import Random
from typing import Annotated, Any

import torch
import typer
import yaml
from safetensors.torch import load_file

from manifests.manifest import load_manifest
from tests.toy_base import write_toy_base
from tests.train.forked import PROBE, SAVING, STEP, Blow, Forked, in_fork
from train.base import load_base

BATCH = 4
KINDS = {STEP: "a step", SAVING: "a save", PROBE: "a probe"}
WAITS = {STEP: 0.1, SAVING: 0.02, PROBE: 0.1}  # seconds at most, about as long as each takes


@dataclass(frozen=True)
class Ended:
    """What a training left, and what it had read."""

    losses: list[float]
    weights: dict[str, torch.Tensor]
    reads: list[dict[str, Any]]  # of every sample in order: the digest of its hint, its timestep, some noised latents


@dataclass(frozen=True)
class Ground:
    """A folder in which trainings of a manifest run, of so many steps instead of its own."""

    folder: Path
    manifest: Path
    steps: int

    def start(self, name: str, *options: str, processes: int) -> Forked:
        """Start a training, or let it go on."""
        run = self.folder / name
        launch = len(list(self.folder.glob(f"{name}.*")))
        arguments = [
            "--manifest",
            str(self.manifest),
            "--run",
            str(run),
            "--set",
            f"train.steps={self.steps}",
            *options,
        ]
        resume = ["--resume"] if (run / "provenance.json").is_file() else []
        return Forked(arguments + resume, processes=processes, folder=self.folder / f"{name}.{launch:02d}")

    def ended(self, name: str) -> Ended:
        """Read what the training left."""
        run = self.folder / name
        losses = [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]
        weights = load_file(run / "controlnet" / "diffusion_pytorch_model.safetensors")
        launches = sorted(self.folder.glob(f"{name}.*"))
        return Ended(losses, weights, [read for launch in launches for read in reads_of(launch)])


def main(
    kills: Annotated[int, typer.Option(help="of the training in one process, and of that in two")] = 10,
    steps: Annotated[int, typer.Option(help="of each training")] = 30,
    seed: Annotated[int, typer.Option(help="of the moments")] = 0,
    manifest: Annotated[Path | None, typer.Option(help="default: one on the playroom")] = None,
) -> None:
    """Kill, resume and compare; end with 1 if anything differs."""
    with tempfile.TemporaryDirectory(prefix="pairmill-kills-") as name:
        ground = Ground(Path(name), manifest or Path(name) / "rooms.yaml", steps)
        if not manifest:
            in_fork(lambda: write_ground(ground.folder))
        load_base(load_manifest(ground.manifest).base)  # what is slow the first time is then known in every fork
        wholes = {processes: uninterrupted(ground, processes) for processes in (1, 2)}
        amiss = [
            *(kill_and_resume(ground, wholes[1], processes=1, kills=kills, chance=Random(f"{seed} 1"))),
            *(kill_and_resume(ground, wholes[2], processes=2, kills=kills, chance=Random(f"{seed} 2"))),
            *(change_processes(ground, wholes[1], processes=(1, 2))),
            *(change_processes(ground, wholes[1], processes=(2, 1))),
        ]
    sys.exit(1 if amiss else 0)


def write_ground(folder: Path) -> None:
    """Write a dataset, a base and a manifest."""
    from tests.toy_run import write_dataset  # annotators' imports, in a process that ends

    write_dataset(folder / "rooms")
    write_toy_base(folder / "base")
    data = {"dataset": str(folder / "rooms"), "condition": "canny", "rows": 16}
    manifest = {
        **data,
        "base": str(folder / "base"),
        "resolution": 32,
        "train": {"batch_size": BATCH, "learning_rate": 1e-3, "precision": "no", "flip": 0.5},
        "engine": {"workers": 1},
        "watch": {"checkpoint_every": 2, "probe_every": 5, "probe_rows": 2, "monitor_every": 0},
        "evaluate": {"steps": 2},
    }
    (folder / "rooms.yaml").write_text(yaml.safe_dump(manifest))


def uninterrupted(ground: Ground, processes: int) -> Ended:
    """Train without a blow."""
    ground.start(f"whole-{processes}", processes=processes).finish()
    return ground.ended(f"whole-{processes}")


def kill_and_resume(ground: Ground, whole: Ended, *, processes: int, kills: int, chance: Random) -> list[str]:
    """Train with so many kills, and name what is not bit-equal to the uninterrupted training."""
    name, moments = f"killed-{processes}", []
    for step in sorted(chance.sample(range(1, ground.steps), kills)):
        done = newest_step(ground.folder / name / "checkpoints")
        kind = chance.choice(list(KINDS))
        training = ground.start(name, processes=processes)
        if training.kill(Blow(max(1, step - done), kind, chance.uniform(0, WAITS[kind]))):
            moments.append(f"{step} in {KINDS[kind]}")
    ground.start(name, processes=processes).finish()
    ended = ground.ended(name)
    problem = difference(ended, whole)
    if len(moments) != kills:
        problem = f"only {len(moments)} kills of {kills}"
    print(
        f"{processes} process{'es' if processes > 1 else ''}, {len(moments)} kills (step {', '.join(moments)}): "
        f"{len(ended.losses)} losses and {len(ended.weights)} weights {problem or 'bit-equal'}",
        flush=True,
    )
    return [problem] if problem else []


def change_processes(ground: Ground, whole: Ended, *, processes: tuple[int, int]) -> list[str]:
    """Train half the steps in so many processes, the others in so many; name what is not as in one process."""
    name = f"elastic-{processes[0]}-{processes[1]}"
    ground.start(name, "--set", f"train.steps={ground.steps // 2}", processes=processes[0]).finish()
    ground.start(name, processes=processes[1]).finish()
    ended = ground.ended(name)
    same = len(ended.reads) == len(whole.reads) and all(map(alike, ended.reads, whole.reads))
    furthest = max(abs(one / other - 1) for one, other in zip(ended.losses, whole.losses, strict=True))
    problem = "" if same and furthest < 1e-3 else "not as in one process"
    print(
        f"{processes[0]} then {processes[1]} processes: {len(ended.reads)} samples and draws "
        f"{'the same, in the same order' if same else 'differ'}; losses within {furthest:.1e} of one process's",
        flush=True,
    )
    return [problem] if problem else []


def difference(ended: Ended, whole: Ended) -> str:
    """Name the first thing that is not bit-equal; "" if all is."""
    for step, (here, there) in enumerate(zip(ended.losses, whole.losses, strict=True), 1):
        if here != there:
            return f"differ: {here!r} and {there!r} at step {step}"
    names = [name for name in whole.weights if not torch.equal(ended.weights[name], whole.weights[name])]
    return f"differ: {len(names)} weights, {names[0]} first" if names else ""


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two samples are of one row, crop, flip, timestep and noise."""
    exact = (one["hint"], one["timestep"]) == (other["hint"], other["timestep"])
    return exact and all(isclose(*pair, abs_tol=1e-4) for pair in zip(one["noisy"], other["noisy"], strict=True))


def reads_of(launch: Path) -> list[dict[str, Any]]:
    """What the processes of one launch read, in the order of the samples' numbers."""
    ranks = sorted(launch.glob("rank-*.jsonl"))
    lines = [[json.loads(line) for line in rank.read_text().splitlines()] for rank in ranks]
    share = BATCH // len(ranks)
    steps = range(0, len(lines[0]), share)
    return [read for first in steps for rank in lines for read in rank[first : first + share]]


def newest_step(checkpoints: Path) -> int:
    """Steps done at the newest checkpoint; 0 if there is none."""
    return max((int(path.name.removeprefix("step-")) for path in checkpoints.glob("step-*")), default=0)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    typer.run(main)
