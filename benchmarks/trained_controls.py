"""What kinds of control learnt in the same number of steps: writes the table of docs/controls.md from evaluated runs.

python benchmarks/trained_controls.py runs/controlnet runs/film …
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import torch
from typer import Argument

from benchmarks.controls import DOCUMENT
from benchmarks.table import update
from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.report import SCORES_FILE
from evaluate.scores import matrix, read_scores
from evaluate.spec import read_spec
from evaluate.statistics import Array, Interval, interval, normalised, resampled_means
from manifests.control import ControlSettings
from manifests.manifest import Manifest, load_manifest
from pipelines.entry import run as run_as_command
from train.flops import count
from train.tiny_base.architecture import TOKENS, denoiser

HEAD = ("run", "F1", "of the way from floor to ceiling", "beside the first", "trained", "GFLOP a sample", "images/s")
ARMS = (FLOOR, CONTROLLED, CEILING)


def main(
    runs: Annotated[list[Path], Argument(help="folders of evaluated runs on the tiny base, all of one length")],
) -> None:
    """Put a line for each run into docs/controls.md: python benchmarks/trained_controls.py runs/controlnet runs/film"""
    manifests = [load_manifest(run / "manifest.yaml") for run in runs]
    values = [scores(run) for run in runs]
    lines = {
        run.name: [*learnt(own, beside=values[0]), *cost(run, manifest)]
        for run, manifest, own in zip(runs, manifests, values, strict=True)
    }
    update(DOCUMENT, name="trained controls", title=title(manifests[0], values[0]), head=HEAD, lines=lines)
    print(f"{DOCUMENT}: {len(lines)} runs")


def title(manifest: Manifest, values: Array) -> str:
    """What all lines share."""
    train, (floor, _, ceiling) = manifest.train, values.mean(axis=0)
    return (
        f"{train.steps} steps of {train.batch_size} samples, {manifest.condition} of the playroom, learning rate "
        f"{train.learning_rate:g}; F1 within one pixel of {len(values)} test pictures with 95 % intervals over the "
        f"pictures, floor {floor:.3f}, ceiling {ceiling:.3f}:"
    )


def scores(run: Path) -> Array:
    """The primary measure of each test sample in each of `ARMS`: [N, 3] float64, samples in the order of their keys."""
    folder = run / "evaluation"
    measure = ADHERENCE[read_spec(folder).protocol.annotator].primary.name
    return matrix(read_scores(folder / SCORES_FILE), measure=measure, arms=ARMS)[1]


def learnt(values: Array, *, beside: Array) -> list[str]:
    """Adherence, its share of the way, and how much further it went than the first run on the same samples."""
    both = np.concatenate([values, beside], axis=1)
    means, resamples = both.mean(axis=0), resampled_means(both)
    (own, other), (owns, others) = shares(means), shares(resamples)
    further = "–" if values is beside else points(interval(float(own - other), owns - others))
    return [f"{means[ARMS.index(CONTROLLED)]:.3f}", percent(interval(float(own), owns)), further]


def shares(means: Array) -> tuple[Array, Array]:
    """Of the way from floor to ceiling, of two runs whose arms lie side by side: [..., 6] to twice [...]."""
    one, two = means[..., :3], means[..., 3:]
    return tuple(normalised(arms[..., 1], floor=arms[..., 0], ceiling=arms[..., 2]) for arms in (one, two))


def percent(share: Interval) -> str:
    """A share and its interval in percent."""
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def points(gain: Interval) -> str:
    """A difference of shares and its interval in points of a hundred; bold where the interval leaves out zero."""
    text = f"{100 * gain.value:+.0f} [{100 * gain.low:+.0f}, {100 * gain.high:+.0f}]"
    return f"**{text}**" if gain.low > 0 or gain.high < 0 else text


def cost(run: Path, manifest: Manifest) -> list[str]:
    """Counted on the tiny base, and the median speed of the logged windows."""
    with torch.device("meta"):
        unet = denoiser()
    cells, hints = manifest.resolution // 8, 1 + len(manifest.further_conditions)
    settings = ControlSettings.model_validate({**manifest.control.model_dump(), "initial": ""})
    counted = count(unet, settings, cells=cells, tokens=TOKENS, conditions=hints)
    logged = [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]
    speed = statistics.median(window["images_per_second"] for window in logged)
    return [f"{counted.parameters / 1e6:.2f} M", f"{counted.step / 1e9:.2f}", f"{speed:.1f}"]


if __name__ == "__main__":
    run_as_command(main)
