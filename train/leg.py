"""One leg of a training: batches in, steps, checkpoints and looks out."""

from functools import partial
from pathlib import Path

from accelerate import Accelerator, DistributedType

from manifests.families import Cards
from manifests.manifest import Manifest
from manifests.training_set.gather import column_of
from train.agreed import agreed
from train.base import Base, tokenize
from train.batches import Recipe, Samples, loader
from train.best import Best
from train.checkpoint import newest_checkpoint, save_checkpoint
from train.control.control import trained
from train.engine import SHARDED, Engine
from train.fit import fit
from train.flops import flops_of_sample
from train.legs import Leg
from train.micro_batch import find_micro_batch
from train.result import save_best
from train.seal import position_of, read_seal
from train.span import Span
from train.stop import note_stop, stopped_after
from train.watch.meter import Meter
from train.watch.monitor import Monitor
from train.watch.observe import DIVERGED, Observer
from train.watch.probe import Probe
from train.watch.watch import Watch
from train.work import Work

LOADERS = 2  # processes that load beside a GPU


def run_leg(work: Work, engine: Engine, leg: Leg, *, start: int) -> tuple[int, bool]:
    """Train one leg.

    Args:
        start: steps done, of the whole training.

    Returns:
        Steps done now; whether training shall end there.
    """
    manifest, accelerator = work.manifest, engine.accelerator
    if start == stopped_after(work.run, manifest.watch.patience):  # it was killed since, or is started again
        return start, True
    recipe = recipe_of(manifest, work.cards, engine.base)
    span = Span(
        start=start,
        steps=leg.stop,
        batch_size=manifest.train.batch_size,
        micro_batch=_micro_batch(work, engine, leg, recipe),
        process=accelerator.process_index,
        processes=accelerator.num_processes,
    )
    batches = iter(loader(work.table, recipe, span, workers=_workers(work, engine)))
    steps = fit(engine, batches, span, max_grad_norm=leg.train.max_grad_norm)
    watch = Watch(work.run, engine, observers(work, engine), manifest=manifest, meter=_meter(work, engine, leg))
    for seen in watch(steps, span):
        kept = seen.number % manifest.watch.checkpoint_every == 0 or seen.number == manifest.train.steps or seen.stop
        if kept:
            agreed(partial(_check_finite, engine, work.run, seen.number))
        if seen.best is not None:  # before the checkpoint: what is lost with it is reached again
            save_best(engine, work, leg.control, Best(seen.number, seen.best))
        if seen.stop and accelerator.is_main_process:
            note_stop(work.run, seen.number, manifest.watch.patience)
        if kept:
            position = position_of(span, step=seen.number, stage=leg.stage)
            folder = work.run / "checkpoints"
            save_checkpoint(accelerator, folder, position, work.origin, keep=manifest.watch.keep)
        if seen.stop:
            work.say(f"stopped after step {seen.number:,}: {seen.stop}")
            return seen.number, True
    return leg.stop, False


def _check_finite(engine: Engine, run: Path, step: int) -> None:
    """Refuse to keep broken weights: the loss tells them a step later.

    Raises:
        ValueError: This process holds weights that are not finite.
    """
    if not all(bool(parameter.isfinite().all()) for parameter in trained(engine.plain)):
        raise ValueError(f"{run}: step {step:,} left weights that are not finite, and they are not kept. {DIVERGED}")


def _workers(work: Work, engine: Engine) -> int:
    """Loading processes: where the manifest leaves it open, none on a CPU, whose cores are busy with the steps."""
    asked = work.manifest.engine.workers
    if asked is not None:
        return asked
    return LOADERS if engine.accelerator.device.type == "cuda" else 0


def observers(work: Work, engine: Engine) -> list[Observer]:
    """What looks at a training."""
    return [Monitor(engine, work.manifest, work.run), Probe(engine, work.manifest, work.run)]


def recipe_of(manifest: Manifest, cards: Cards, base: Base) -> Recipe:
    """What makes a sample out of a row of the training set."""
    kinds = tuple(card.kind for card in (cards.condition, *cards.further))
    return Recipe(
        kinds=kinds,
        columns=("condition", *map(column_of, manifest.further_conditions)),
        condition_drop=manifest.train.condition_drop,
        latents=manifest.engine.encode if manifest.latents else "none",
        resolution=manifest.resolution,
        latent_shape=base.latent_shape(manifest.resolution),
        tokenize=partial(tokenize, base.tokenizers),
        timesteps=int(base.scheduler.config.num_train_timesteps),
        prompt_drop=manifest.train.prompt_drop,
        seed=manifest.train.seed,
        flip=manifest.train.flip,
    )


def check_launch(manifest: Manifest, accelerator: Accelerator) -> None:
    """Refuse what can't be trained the way that the processes were launched.

    Raises:
        ValueError: The processes can't share a batch equally; or weights are spread over them, and the manifest asks
            for what is then not done: stages, an average, and by DeepSpeed a micro-batch or cut gradients.
    """
    processes, train, asked = accelerator.num_processes, manifest.train, manifest.engine.micro_batch
    Span(start=0, steps=1, batch_size=train.batch_size, micro_batch=1, processes=processes)
    if train.stages and accelerator.distributed_type in SHARDED:
        raise ValueError(
            "train.stages: no stage follows another where weights are spread over processes. Leave them out"
        )
    if train.ema is not None and accelerator.distributed_type in SHARDED:
        raise ValueError("train.ema: weights that are spread over processes are not averaged. Leave it out, or use DDP")
    if accelerator.distributed_type != DistributedType.DEEPSPEED:
        return
    if asked not in {None, "auto", train.batch_size // processes}:
        raise ValueError(
            f"engine.micro_batch: DeepSpeed would take a step for each {asked} samples. Leave it out, or launch "
            "more processes"
        )
    if train.max_grad_norm is not None:
        raise ValueError("train.max_grad_norm: DeepSpeed cuts gradients by gradient_clipping of its own file alone")


def _micro_batch(work: Work, engine: Engine, leg: Leg, recipe: Recipe) -> int:
    """Samples of a forward pass; those that were found before, when a run goes on, so that it rounds alike."""
    share, asked = work.manifest.train.batch_size // engine.accelerator.num_processes, work.manifest.engine.micro_batch
    if asked != "auto":
        return int(asked or share)
    if engine.accelerator.distributed_type in SHARDED:  # one process out of memory would make the others wait for ever
        raise ValueError("engine.micro_batch: auto finds none where weights are spread over processes. Give a number")
    done = newest_checkpoint(work.run / "checkpoints", say=work.say)
    if done:
        before = read_seal(done).position
        if (before.processes, before.stage) == (engine.accelerator.num_processes, leg.stage):
            return before.micro_batch
    return find_micro_batch(engine, Samples(work.table, recipe)[0], share=share)


def _meter(work: Work, engine: Engine, leg: Leg) -> Meter:
    return Meter(
        batch_size=work.manifest.train.batch_size,
        flops=partial(flops_of_sample, work.manifest, engine.base, leg.control),
        device=engine.accelerator.device,
        processes=engine.accelerator.num_processes,
    )
