"""Train a ControlNet on the subset that a manifest names.

accelerate launch train/run.py --manifest manifests/quickstart.yaml
accelerate launch train/run.py --manifest manifests/quickstart.yaml --run runs/quickstart --resume --set train.steps=500
"""

import shutil
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import typer
from accelerate import Accelerator

from manifests.manifest import Manifest, load_manifest
from manifests.subset import Subset, resolve
from manifests.training_set import ensure_training_set, open_training_set
from train.base import load_base, tokenize
from train.batches import Recipe, Span, loader
from train.checkpoint import checkpoints, load_checkpoint, save_checkpoint, save_folder
from train.controlnet import trainable_copy
from train.fit import Engine, assemble, fit, start_accelerator
from train.hints import drawing
from train.run_folder import claim, provenance_of
from train.watch import watch

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog="accelerate launch train/run.py --manifest manifests/quickstart.yaml --set train.steps=500")
def main(
    manifest: Annotated[Path, typer.Option(help="YAML that names the subset, the base and the settings.")],
    run: Annotated[Path | None, typer.Option(help="Folder to write. Default: runs/NAME-OF-THE-MANIFEST")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint, if there is one.")
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="section.field=value, any number of times")
    ] = None,
) -> None:
    """Train a ControlNet on the subset that a manifest names."""
    try:
        settings = load_manifest(manifest, overrides or [])
        train_controlnet(settings, run or Path("runs") / manifest.stem, overrides or [], resume=resume)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def train_controlnet(manifest: Manifest, run: Path, overrides: list[str], *, resume: bool) -> None:
    """Train up to the manifest's last step, in every process of the run, and leave RUN/controlnet/."""
    accelerator = start_accelerator(manifest.train.precision)
    subset = resolve(manifest)
    engine = _engine(accelerator, manifest)
    recipe = _recipe(manifest, engine, subset)
    span = _span(manifest, accelerator)
    provenance = provenance_of(manifest, subset, overrides=overrides, processes=accelerator.num_processes)
    if accelerator.is_main_process:  # before the first step, so that a crash is explained
        claim(run, manifest, provenance, resume=resume)
    accelerator.wait_for_everyone()
    done = checkpoints(run / "checkpoints")
    if done:
        span = replace(span, start=load_checkpoint(accelerator, done[-1]))
    with accelerator.main_process_first():
        table = open_training_set(ensure_training_set(subset, manifest), manifest.rows)
    batches = iter(loader(table, recipe, span, workers=manifest.train.workers))
    steps = fit(engine, batches, span, max_grad_norm=manifest.train.max_grad_norm)
    began = time.perf_counter()
    for step in watch(steps, run, engine, manifest=manifest, span=span):
        if step.number % manifest.train.checkpoint_every == 0 or step.number == span.steps:
            save_checkpoint(accelerator, run / "checkpoints", step=step.number)
    if accelerator.is_main_process:
        save_folder(partial(_export, engine, run), run / "controlnet")
        typer.echo(_closing_line(run, span, seconds=time.perf_counter() - began))
    accelerator.end_training()


def _engine(accelerator: Accelerator, manifest: Manifest) -> Engine:
    base = load_base(manifest.base)
    controlnet = trainable_copy(base.unet, seed=manifest.train.seed)
    return assemble(accelerator, base, controlnet, learning_rate=manifest.train.learning_rate)


def _recipe(manifest: Manifest, engine: Engine, subset: Subset) -> Recipe:
    return Recipe(
        kind=subset.card.kind,
        drawing=drawing(subset.card.kind),
        resolution=manifest.resolution,
        latent_shape=engine.base.latent_shape(manifest.resolution),
        tokenize=partial(tokenize, engine.base.tokenizer),
        timesteps=len(engine.shares),
        prompt_drop=manifest.train.prompt_drop,
        seed=manifest.train.seed,
    )


def _span(manifest: Manifest, accelerator: Accelerator) -> Span:
    return Span(
        start=0,
        steps=manifest.train.steps,
        batch_size=manifest.train.batch_size,
        micro_batch=manifest.train.micro_batch or manifest.train.batch_size,
        process=accelerator.process_index,
        processes=accelerator.num_processes,
    )


def _export(engine: Engine, run: Path, folder: Path) -> None:
    engine.plain.save_pretrained(folder)
    shutil.copy(run / "provenance.json", folder)


def _closing_line(run: Path, span: Span, *, seconds: float) -> str:
    steps = max(0, span.steps - span.start)
    samples = steps * span.batch_size
    return (
        f"{steps:,} steps, {samples:,} samples in {seconds / 60:.1f} min ({samples / seconds:.1f} images/s): "
        f"{run / 'controlnet'}"
    )


if __name__ == "__main__":
    app()
