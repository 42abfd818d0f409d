"""A training: what a manifest asks for, checked as a whole, then run to its last step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from accelerate import Accelerator

from manifests.manifest import Manifest
from manifests.subset import Subset, resolve
from manifests.training_set import ensure_training_set, open_training_set
from train.base import Base, load_base
from train.checkpoint import checkpoints, load_checkpoint, step_of
from train.control.control import Control
from train.control.registry import build_control, carry
from train.engine import Engine, assemble
from train.hints import drawing
from train.leg import Work, check_share, run_leg
from train.legs import Leg, legs
from train.processes import join
from train.result import save_result
from train.run_folder import claim, provenance_of
from train.tracking import track

Say = Callable[[str], None]


@dataclass(frozen=True)
class Training:
    """A run whose folder is claimed and whose settings fit its base, data and processes."""

    manifest: Manifest
    run: Path
    subset: Subset
    accelerator: Accelerator
    base: Base
    control: Control  # of the first leg that is still to run
    start: int  # steps done
    legs: tuple[Leg, ...]  # still to run


def prepare(manifest: Manifest, run: Path, overrides: list[str], *, resume: bool) -> Training:
    """Check everything that can be checked before the first step, then claim the run's folder.

    What is wrong is found alike in every process.

    Args:
        overrides: those that are in the manifest already; they are recorded.
        resume: go on from the run's newest checkpoint, if there is one.
    """
    accelerator = join(manifest.train.precision, tracker=manifest.watch.tracker, run=run)
    subset = resolve(manifest)
    base = load_base(manifest.base)
    base.latent_shape(manifest.resolution)  # refuses what is no multiple of its stride
    drawing(subset.card.kind)
    check_share(manifest, accelerator)
    every = legs(manifest)
    build_control(base.unet, every[0].control, seed=manifest.train.seed, conditions=conditions(manifest))
    provenance = provenance_of(manifest, subset, overrides=overrides, processes=accelerator.num_processes)
    if accelerator.is_main_process:  # before the first step, so that a crash is explained
        claim(run, manifest, provenance, resume=resume)
    accelerator.wait_for_everyone()
    done = checkpoints(run / "checkpoints")
    start = step_of(done[-1]) if done else 0
    # A checkpoint after the last step of a leg holds that leg's network: it is loaded there, with nothing left to do.
    ahead = tuple(leg for leg in every if leg.stop > start or (leg.stop == start and leg.start < start))
    control = build_control(base.unet, ahead[0].control, seed=manifest.train.seed, conditions=conditions(manifest))
    return Training(manifest, run, subset, accelerator, base, control, start, ahead)


def finish(training: Training, say: Say) -> str:
    """Train up to the last step, leave RUN/controlnet/, and say so in a line.

    Args:
        say: told what building the training set will read, if it is not there yet.
    """
    manifest, run, accelerator = training.manifest, training.run, training.accelerator
    with accelerator.main_process_first():
        table = open_training_set(ensure_training_set(training.subset, manifest, say=say), manifest.rows)
    work = Work(manifest, run, training.subset, table, say)
    track(accelerator, manifest.watch.tracker, start=training.start)
    began, reached = time.perf_counter(), training.start
    base, control = training.base, training.control
    for place, leg in enumerate(training.legs):
        if place:
            base, control = _next(control, leg, manifest)
        engine = assemble(
            accelerator, base, control, train=leg.train, engine=manifest.engine, resolution=manifest.resolution
        )
        if reached > leg.start:
            load_checkpoint(accelerator, checkpoints(run / "checkpoints")[-1])
        reached, stopped = run_leg(work, engine, leg, start=reached)
        if stopped or leg.stop == manifest.train.steps:
            break
        control = engine.plain.cpu()
        accelerator.free_memory(engine.optimizer)
        accelerator._custom_objects.clear()  # the average; accelerate has no public way to forget one
    save_result(engine, work, step=reached)
    accelerator.end_training()
    return _closing_line(training, steps=reached - training.start, seconds=time.perf_counter() - began)


def conditions(manifest: Manifest) -> int:
    """How many hints a sample has at most."""
    return 1 + len(manifest.further_conditions)


def _next(before: Control, leg: Leg, manifest: Manifest) -> tuple[Base, Control]:
    """The base in full precision again, and the next leg's control, which goes on from what the last one learnt."""
    base = load_base(manifest.base)
    control = build_control(base.unet, leg.control, seed=manifest.train.seed, conditions=conditions(manifest))
    carry(before, control)
    return base, control


def _closing_line(training: Training, *, steps: int, seconds: float) -> str:
    samples = steps * training.manifest.train.batch_size
    return (
        f"{steps:,} steps, {samples:,} samples in {seconds / 60:.1f} min ({samples / seconds:.1f} images/s): "
        f"{training.run / 'controlnet'}"
    )
