"""What kinds of control learnt in the same number of steps: writes the table of docs/controls.md from finished runs.

python benchmarks/trained_controls.py runs/controlnet runs/film …
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import torch
from typer import Argument

from benchmarks.controls import DOCUMENT
from benchmarks.table import update
from manifests.control import ControlSettings
from manifests.manifest import Manifest, load_manifest
from pipelines.entry import run as run_as_command
from train.flops import count
from train.tiny_base.architecture import TOKENS, denoiser

HEAD = ("run", "probe", "of the way from floor to ceiling", "trained", "GFLOP a sample", "images/s")


def main(
    runs: Annotated[list[Path], Argument(help="folders of finished runs on the tiny base, all of one length")],
) -> None:
    """Put a line for each run into docs/controls.md: python benchmarks/trained_controls.py runs/controlnet runs/film"""
    manifests = [load_manifest(run / "manifest.yaml") for run in runs]
    lines = {run.name: line(run, manifest) for run, manifest in zip(runs, manifests, strict=True)}
    update(DOCUMENT, name="trained controls", title=title(manifests[0], runs[0]), head=HEAD, lines=lines)
    print(f"{DOCUMENT}: {len(lines)} runs")


def title(manifest: Manifest, run: Path) -> str:
    """What all lines share."""
    found, train = last_probe(run), manifest.train
    floor, ceiling = found["probe/f1_1px_floor"], found["probe/f1_1px_ceiling"]
    return (
        f"{train.steps} steps of {train.batch_size} samples, {manifest.condition} of the playroom, learning rate "
        f"{train.learning_rate:g}; F1 within one pixel of {manifest.watch.probe_rows} validation pictures, floor "
        f"{floor:.3f}, ceiling {ceiling:.3f}:"
    )


def line(run: Path, manifest: Manifest) -> list[str]:
    """Adherence by the last probe, cost counted on the tiny base, and the median speed of the logged windows."""
    found = last_probe(run)
    with torch.device("meta"):
        unet = denoiser()
    cells, hints = manifest.resolution // 8, 1 + len(manifest.further_conditions)
    settings = ControlSettings.model_validate({**manifest.control.model_dump(), "initial": ""})
    cost = count(unet, settings, cells=cells, tokens=TOKENS, conditions=hints)
    speeds = [logged["images_per_second"] for logged in read_lines(run / "log.jsonl")]
    return [
        f"{found['probe/f1_1px']:.3f}",
        f"{100 * found['probe/floor_to_ceiling']:.0f} %",
        f"{cost.parameters / 1e6:.2f} M",
        f"{cost.step / 1e9:.2f}",
        f"{statistics.median(speeds):.1f}",
    ]


def last_probe(run: Path) -> dict[str, Any]:
    """What the last probe of a run found."""
    return [found for found in read_lines(run / "observed.jsonl") if "probe/f1_1px" in found][-1]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(text) for text in path.read_text().splitlines()]


if __name__ == "__main__":
    run_as_command(main)
