"""What kinds of control learnt in the same number of steps: writes the table of docs/controls.md from evaluated runs.

python benchmarks/trained_controls.py runs/controlnet runs/film …
"""

import json
import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import torch
from typer import Argument

from benchmarks.controls import DOCUMENT
from benchmarks.table import update
from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.measured import Measured, measure_all
from evaluate.measures.measure import Measure
from evaluate.report.summary import shares
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import read_spec
from evaluate.statistics import Interval, interval
from manifests.control import ControlSettings
from manifests.manifest import Manifest, load_manifest
from pipelines.entry import run as run_as_command
from train.flops import count
from train.tiny_base.architecture import TOKENS, denoiser

HEAD = ("run", "F1", "of the way from floor to ceiling", "beside the first", "trained", "GFLOP a sample", "images/s")


def main(
    runs: Annotated[list[Path], Argument(help="folders of evaluated runs on the tiny base, all of one length")],
) -> None:
    """Put a line for each run into docs/controls.md: python benchmarks/trained_controls.py runs/controlnet runs/film"""
    manifests, found = [load_manifest(run / "manifest.yaml") for run in runs], [adherence(run) for run in runs]
    lines = {
        run.name: [*learnt(primary(run), own, beside=found[0]), *cost(run, manifest)]
        for run, manifest, own in zip(runs, manifests, found, strict=True)
    }
    draws = int(read_spec(runs[0] / "evaluation").protocol.settings["draws"])
    name = "trained controls" if draws == 1 else f"trained controls, {draws} draws"
    update(DOCUMENT, name=name, title=title(manifests[0], found[0], draws), head=HEAD, lines=lines)
    print(f"{DOCUMENT}: {len(lines)} runs")


def primary(run: Path) -> Measure:
    """The primary measure of an evaluated run."""
    return ADHERENCE[read_spec(run / "evaluation").protocol.annotator].primary


def adherence(run: Path) -> Measured:
    """What it says."""
    return measure_all(read_scores(run / "evaluation" / SCORES_FILE), primary(run), (FLOOR, CONTROLLED, CEILING))


def title(manifest: Manifest, found: Measured, draws: int) -> str:
    """What all lines share."""
    train, each = manifest.train, "" if draws == 1 else f", each drawn {draws} times,"
    return (
        f"{train.steps} steps of {train.batch_size} samples, {manifest.condition} of the playroom, learning rate "
        f"{train.learning_rate:g}; F1 within one pixel of {found.samples} test pictures{each} with 95 % intervals "
        f"over the pictures, floor {found.interval(FLOOR).value:.3f}, ceiling {found.interval(CEILING).value:.3f}:"
    )


def learnt(measure: Measure, found: Measured, *, beside: Measured) -> list[str]:
    """Adherence, its share of the way, and how much further it went than the first run on the same samples."""
    (own, owns), (other, others) = shares(found, measure), shares(beside, measure)
    further = "–" if found is beside else points(interval(float(own - other), owns - others))
    return [f"{found.interval(CONTROLLED).value:.3f}", percent(interval(float(own), owns)), further]


def percent(share: Interval) -> str:
    """A share and its interval in percent."""
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def points(gain: Interval) -> str:
    """A difference of shares and its interval in points of a hundred; bold where the interval leaves out zero."""
    text = f"{100 * gain.value:+.0f} [{100 * gain.low:+.0f}, {100 * gain.high:+.0f}]"
    return f"**{text}**" if gain.low > 0 or gain.high < 0 else text


def cost(run: Path, manifest: Manifest) -> list[str]:
    """Counted on the tiny base, and the speed of the fastest logged window."""
    with torch.device("meta"):
        unet = denoiser()
    cells, hints = manifest.resolution // 8, len(manifest.conditions)
    settings = ControlSettings.model_validate({**manifest.control.model_dump(), "initial": ""})
    counted = count(unet, settings, cells=cells, tokens=TOKENS, conditions=hints)
    logged = [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]
    speed = max(window["images_per_second"] for window in logged)  # when least ran beside it
    return [f"{counted.parameters / 1e6:.2f} M", f"{counted.step / 1e9:.2f}", f"{speed:.1f}"]


if __name__ == "__main__":
    run_as_command(main)
