"""What a person sees of a run while it trains: its log, its progress bar and its grids of samples."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from manifests.manifest import Manifest
from train.batches import Span
from train.controlnet import rounded_copy
from train.fit import Engine, Step
from train.log import Log
from train.samples import Pair, draw, grid, save_grid, validation_pairs


def watch(steps: Iterator[Step], run: Path, engine: Engine, *, manifest: Manifest, span: Span) -> Iterator[Step]:
    """Pass the steps on as they come; the first process of the run logs and shows each."""
    if not engine.accelerator.is_main_process:
        yield from steps
        return
    pairs = validation_pairs(manifest)
    log = Log(run, start=span.start, batch_size=span.batch_size, learning_rate=manifest.train.learning_rate)
    with log, _bar(span) as bar:
        for step in steps:
            log.step(step)
            bar.set_postfix(loss=f"{step.loss:.4f}", images=f"{span.batch_size / step.seconds:.1f}/s", refresh=False)
            bar.update()
            if pairs and (step.number % manifest.train.sample_every == 0 or step.number == span.steps):
                _show(log, run, engine, pairs, manifest=manifest, step=step.number)
            yield step


def _show(log: Log, run: Path, engine: Engine, pairs: Sequence[Pair], *, manifest: Manifest, step: int) -> None:
    controlnet = rounded_copy(engine.plain, engine.base.unet.dtype)
    drawn = draw(engine.base, controlnet, pairs, manifest.evaluate)
    picture = grid(pairs, drawn)
    save_grid(picture, run / "samples" / f"step-{step:06d}.png")
    log.picture(picture, step=step)


def _bar(span: Span) -> "tqdm[NoReturn]":
    quiet = not sys.stderr.isatty()
    bar: tqdm[NoReturn] = tqdm(total=span.steps, initial=span.start, unit="step", disable=quiet, dynamic_ncols=True)
    return bar
