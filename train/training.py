"""A training: what a manifest asks for, checked as a whole, then run to its last step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator

from manifests.manifest import Manifest
from manifests.subset import Subset, resolve
from manifests.training_set.prepared import Prepared, prepared
from manifests.training_set.training_set import ensure_training_set, open_training_set
from train.agreed import agreed, once_per_machine
from train.base import Base, load_base, place
from train.checkpoint import load_newest, newest_checkpoint
from train.control.carrying import carry
from train.control.control import Control
from train.control.registry import build_control
from train.digest import base_digest
from train.engine import assemble
from train.hints import drawing
from train.leg import check_launch, run_leg
from train.legs import Leg, legs
from train.processes import join, why_slow
from train.refusals import check_probes
from train.result import export
from train.run_folder import Provenance, claim, provenance_of
from train.seal import step_of
from train.watch.tracking import check_tracker, track
from train.watch.verdict import verdict
from train.work import Work

Say = Callable[[str], None]


@dataclass(frozen=True)
class Training:
    """A run whose folder is claimed and whose settings fit its base, data and processes."""

    manifest: Manifest
    run: Path
    subset: Subset | Prepared
    accelerator: Accelerator
    base: Base
    control: Control  # of the first leg that is still to run
    start: int  # steps done
    legs: tuple[Leg, ...]  # still to run
    provenance: Provenance
    say: Say


def prepare(manifest: Manifest, run: Path, overrides: list[str], *, resume: bool, say: Say) -> Training:
    """Check everything that can be checked before the first step, then claim the run's folder.

    What is wrong is found alike in every process.

    Args:
        overrides: those that are in the manifest already; they are recorded.
        resume: go on from the run's newest checkpoint, if there is one.
        say: told what a person should know before the first step: of torn checkpoints, slow arithmetic, data to read.
    """
    check_tracker(manifest.watch.tracker, run)
    accelerator = join(manifest.train.precision, tracker=manifest.watch.tracker, run=run)
    for slow in why_slow(manifest.train.precision, manifest.engine.compile):
        say(slow)
    made = list[Training]()

    def make() -> None:
        done = _steps_done(run, say=say) if resume else 0
        made.append(_made(manifest, run, overrides, accelerator, done=done, say=say))

    agreed(make)  # what is large stays in each process
    (training,) = made
    # Before the first step, so that a crash is explained.
    agreed(lambda: claim(run, manifest, training.provenance, resume=resume) if accelerator.is_main_process else None)
    if training.start > manifest.train.steps:
        done = f"{training.start:,} steps are done, and train.steps is {manifest.train.steps:,}"
        raise ValueError(f"{run}: {done}. Raise it")
    return training


def _made(
    manifest: Manifest, run: Path, overrides: list[str], accelerator: Accelerator, *, done: int, say: Say
) -> Training:
    """Read in this process what a training needs, `done` steps of it done, and hold it against each other."""
    subset = prepared(manifest) or resolve(manifest)
    base = load_base(manifest.base)
    base.latent_shape(manifest.resolution)  # refuses what is no multiple of its stride
    for card in (subset.card, *subset.cards.further):
        drawing(card.kind)
    check_launch(manifest, accelerator)
    check_probes(manifest)
    start = min(done, manifest.train.steps)
    # A checkpoint after the last step of a leg holds that leg's network: it is loaded there, with nothing left to do.
    ahead = tuple(leg for leg in legs(manifest) if leg.stop > start or (leg.stop == start and leg.start < start))
    control = _control(base, ahead[0], manifest, begun=start > ahead[0].start and len(ahead) == 1)
    provenance = provenance_of(
        manifest,
        subset,
        overrides=overrides,
        processes=accelerator.num_processes,
        base_digest=base_digest(base),  # before its weights are rounded
    )
    return Training(manifest, run, subset, accelerator, base, control, done, ahead, provenance, say)


def finish(training: Training) -> str:
    """Train up to the last step, leave RUN/controlnet/, and say so in a line."""
    manifest, run, accelerator = training.manifest, training.run, training.accelerator
    table = open_training_set(_training_set(training), manifest.rows)
    work = Work(manifest, run, training.subset.cards, table, training.provenance.origin, training.say)
    track(accelerator, manifest.watch.tracker, start=training.start)
    began, reached = time.perf_counter(), training.start
    base, control = training.base, training.control
    for number, leg in enumerate(training.legs):
        if number:
            base = load_base(manifest.base)  # in full precision again
            control = _grown(control, _control(base, leg, manifest))
        engine = assemble(
            accelerator, base, control, train=leg.train, engine=manifest.engine, resolution=manifest.resolution
        )
        if reached > leg.start:
            load_newest(accelerator, run / "checkpoints", training.provenance.origin, say=training.say)
        reached, stopped = run_leg(work, engine, leg, start=reached)
        if stopped or leg.stop == manifest.train.steps:
            export(engine, work, leg.control, steps=reached)
            break
        control = engine.plain.cpu()
        place(base, device=torch.device("cpu"), dtype=torch.float32)
        accelerator._custom_objects.clear()  # the average; accelerate has no public way to forget one
        del engine
        accelerator.free_memory()
    accelerator.end_training()
    return _closing_line(training, steps=reached - training.start, seconds=time.perf_counter() - began)


def _training_set(training: Training) -> Path:
    # Also of one that is there: it may be so on this machine and not on another.
    return once_per_machine(
        training.accelerator, lambda: ensure_training_set(training.subset, training.manifest, say=training.say)
    )


def _steps_done(run: Path, *, say: Say) -> int:
    newest = newest_checkpoint(run / "checkpoints", say=say)
    return step_of(newest) if newest else 0


def _control(base: Base, leg: Leg, manifest: Manifest, *, begun: bool = False) -> Control:
    """An untrained control; where the last leg has `begun` a checkpoint has all weights, and `initial` may be gone."""
    settings = leg.control.model_copy(update={"initial": ""}) if begun else leg.control
    return build_control(base.unet, settings, seed=manifest.train.seed, conditions=len(manifest.conditions))


def _grown(before: Control, after: Control) -> Control:
    """The next leg's control, which goes on from what the last one learnt."""
    carry(before, after)
    return after


def _closing_line(training: Training, *, steps: int, seconds: float) -> str:
    samples = steps * training.manifest.train.batch_size
    learnt = verdict(training.run)
    return (
        f"{learnt}\n" * bool(learnt) + f"{steps:,} steps, {samples:,} samples in {seconds / 60:.1f} min "
        f"({samples / seconds:.1f} images/s): {training.run / 'controlnet'}"
    )
