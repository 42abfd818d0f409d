"""A training: what a manifest asks for, checked as a whole, then run to its last step."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from accelerate import Accelerator

from manifests.manifest import Manifest
from manifests.subset import Subset, resolve
from manifests.training_set import ensure_training_set, open_training_set
from train.agreed import agreed, once_per_machine
from train.base import load_base, tokenize
from train.batches import Recipe, Span, loader
from train.checkpoint import load_newest, save_checkpoint
from train.control.registry import build_control, save_control
from train.digest import base_digest
from train.fit import Engine, assemble, fit
from train.hints import drawing
from train.processes import join
from train.run_folder import claim, provenance_of
from train.samples import Samples
from train.seal import Origin, position_of
from train.watch import watch
from train.whole_folder import save_folder


@dataclass(frozen=True)
class Training:
    """A run whose folder is claimed and whose settings fit its base, data and processes."""

    manifest: Manifest
    run: Path
    subset: Subset
    engine: Engine
    recipe: Recipe
    span: Span
    origin: Origin


def prepare(
    manifest: Manifest, run: Path, overrides: list[str], *, resume: bool, say: Callable[[str], None]
) -> Training:
    """Check everything that can be checked before the first step, then claim the run's folder.

    What is wrong is found alike in every process.

    Args:
        overrides: those that are in the manifest already; they are recorded.
        resume: go on from the run's newest checkpoint, if there is one.
        say: told of checkpoints that are passed over.
    """
    accelerator = join(manifest.train.precision)
    subset = resolve(manifest)
    base = load_base(manifest.base)
    recipe = Recipe(
        kind=subset.card.kind,
        drawing=drawing(subset.card.kind),
        resolution=manifest.resolution,
        latent_shape=base.latent_shape(manifest.resolution),
        tokenize=partial(tokenize, base.tokenizer),
        timesteps=int(base.scheduler.config.num_train_timesteps),
        prompt_drop=manifest.train.prompt_drop,
        seed=manifest.train.seed,
        flip=manifest.train.flip,
    )
    span = _span(manifest, accelerator)
    control = build_control(base.unet, manifest.control, seed=manifest.train.seed)
    digest = base_digest(base)  # before the weights are rounded
    engine = assemble(accelerator, base, control, learning_rate=manifest.train.learning_rate)
    provenance = provenance_of(
        manifest, subset, overrides=overrides, processes=accelerator.num_processes, base_digest=digest
    )
    # Before the first step, so that a crash is explained.
    agreed(lambda: claim(run, manifest, provenance, resume=resume) if accelerator.is_main_process else None)
    position = load_newest(accelerator, run / "checkpoints", provenance.origin, say=say)
    span = replace(span, start=position.step if position else 0)
    return Training(manifest, run, subset, engine, recipe, span, provenance.origin)


def finish(training: Training, say: Callable[[str], None]) -> str:
    """Train up to the last step, leave RUN/controlnet/, and say so in a line.

    Args:
        say: told what building the training set will read, if it is not there yet.
    """
    manifest, run, engine, span = training.manifest, training.run, training.engine, training.span
    accelerator = engine.accelerator
    path = once_per_machine(accelerator, lambda: ensure_training_set(training.subset, manifest, say=say))
    table = open_training_set(path, manifest.rows)
    batches = iter(loader(table, training.recipe, span, workers=manifest.engine.workers))
    steps = fit(engine, batches, span, max_grad_norm=manifest.train.max_grad_norm)
    began = time.perf_counter()
    observers = [Samples(engine, manifest, run)]
    for step, stop in watch(steps, run, engine, observers, manifest=manifest, span=span):
        if step.number % manifest.watch.checkpoint_every == 0 or step.number == span.steps or stop:
            position = position_of(span, step=step.number)
            save_checkpoint(accelerator, run / "checkpoints", position, training.origin, keep=manifest.watch.keep)
        if stop:
            say(f"stopped after step {step.number:,}: {stop}")
            break
    if accelerator.is_main_process:
        save_folder(partial(_export, training), run / "controlnet")
    accelerator.end_training()
    return _closing_line(run, span, seconds=time.perf_counter() - began)


def _span(manifest: Manifest, accelerator: Accelerator) -> Span:
    return Span(
        start=0,
        steps=manifest.train.steps,
        batch_size=manifest.train.batch_size,
        micro_batch=_micro_batch(manifest),
        process=accelerator.process_index,
        processes=accelerator.num_processes,
    )


def _micro_batch(manifest: Manifest) -> int:
    asked = manifest.engine.micro_batch
    return asked if isinstance(asked, int) else manifest.train.batch_size


def _export(training: Training, folder: Path) -> None:
    save_control(training.engine.plain, training.manifest.control, folder)
    shutil.copy(training.run / "provenance.json", folder)


def _closing_line(run: Path, span: Span, *, seconds: float) -> str:
    steps = max(0, span.steps - span.start)
    samples = steps * span.batch_size
    return (
        f"{steps:,} steps, {samples:,} samples in {seconds / 60:.1f} min ({samples / seconds:.1f} images/s): "
        f"{run / 'controlnet'}"
    )
