"""How fast an evaluation is: pictures a second beside diffusers' own loop, and its statistics and reports."""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from diffusers import StableDiffusionControlNetPipeline
from numpy.typing import NDArray
from torch import Tensor
from typer import Option

from benchmarks.annotators import hardware
from benchmarks.table import update
from evaluate.comparison.compare import compare_runs
from evaluate.comparison.report import write_comparison
from evaluate.report.report import write_report
from evaluate.scores import SCHEMA, SCORES_FILE
from evaluate.spec import SPEC_FILE, write_spec
from manifests.control import ControlSettings
from pipelines.entry import run
from tests.evaluate.synthetic import spec, write_evaluation
from train.base import Base, load_base, place
from train.control.controlnet import ControlNet
from train.control.registry import build_control
from train.sampler import Hints, Sampling, draw, first_noise

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
TINY = ROOT / "train" / "tiny_base" / "model"
CAPTION = "red ball, blue person, grey wall, sand floor"
MADE = 100  # samples that are really made; the others are theirs under other keys


@dataclass(frozen=True)
class Work:
    """What is drawn.

    Attributes:
        base: folder or name of a base.
        side: of a picture, pixels.
        steps: of sampling.
        batch: pictures at once.
        device: "cpu" or "cuda".
    """

    base: str
    side: int
    steps: int
    batch: int
    device: str

    def load(self) -> tuple[Base, ControlNet, Sampling]:
        """A base with an untrained ControlNet: it costs the same."""
        base = load_base(self.base)
        dtype = torch.float16 if self.device == "cuda" else torch.float32
        place(base, device=torch.device(self.device), dtype=dtype)
        control = build_control(base.unet, ControlSettings(), seed=0).eval()
        assert isinstance(control, ControlNet)
        torch.nn.Module.to(control, device=self.device, dtype=dtype)
        return base, control, Sampling(resolution=self.side, steps=self.steps)


def main(
    pictures: Annotated[int, Option(help="drawn by each side in a round", min=2)] = 64,
    rounds: Annotated[int, Option(help="the two sides take turns", min=1)] = 3,
    samples: Annotated[int, Option(help="of each of eight runs whose reports are timed", min=MADE)] = 1_000,
    base: Annotated[str, Option(help="folder or Hub name; 512 pixels and one process on a GPU")] = str(TINY),
) -> None:
    """Measure drawing and reports: python benchmarks/evaluate.py

    Nothing else should be running.
    """
    cuda = torch.cuda.is_available()
    work = Work(base, 512 if cuda else 128, 20, 16 if cuda else 20, "cuda" if cuda else "cpu")
    where = hardware(torch.device(work.device)).replace("one thread", f"{os.cpu_count()} cores")
    title = f"`python benchmarks/evaluate.py --pictures {pictures}`, {where}:"
    lines = _said(reports(samples)) | _said(drawing(work, pictures, rounds))
    update(DOCUMENT, name="evaluation", title=title, head=["", "", ""], lines=lines)


def drawing(work: Work, pictures: int, rounds: int) -> dict[str, list[str]]:
    """Pictures a second of both sides, in turns, and their ratio."""
    processes = 1 if work.device == "cuda" else os.cpu_count() or 1
    rates: dict[str, list[float]] = {"theirs": [], "ours": []}
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as loop, context.Pool(processes, initializer=_one_thread) as pool:
        loop.apply(_theirs, (work, 2))
        pool.map(_ours, [(work, work.batch)] * processes, chunksize=1)
        shares = [(work, pictures // processes)] * processes
        for _ in range(rounds):
            rates["theirs"].append(pictures / _timed(lambda: loop.apply(_theirs, (work, pictures))))
            rates["ours"].append(pictures / _timed(lambda: pool.map(_ours, shares, chunksize=1)))
    ratios = sorted(ours / theirs for ours, theirs in zip(rates["ours"], rates["theirs"], strict=True))
    theirs, ours = (float(np.median(rates[name])) for name in ("theirs", "ours"))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    return {
        "diffusers' pipeline, one by one": [f"{theirs:.2f} pictures/s", "all cores for one picture"],
        f"ours, batches of {work.batch}": [f"{ours:.2f} pictures/s", f"processes: {processes}"],
        "ours / theirs": [f"{float(np.median(ratios)):.2f}", f"{rounds} rounds: {spread}; asked: 2"],
    }


def reports(samples: int) -> dict[str, list[str]]:
    """Seconds for the reports of eight runs, for one of them, and for their comparison."""
    with tempfile.TemporaryDirectory() as home:
        folders = [Path(home) / str(number) for number in range(8)]
        for number, folder in enumerate(folders):
            _write_run(folder, samples, number)
        one = _timed(lambda: write_report(folders[0]))
        several = _timed(lambda: write_comparison(compare_runs(folders), Path(home) / "comparison"))
    return {
        f"report of one run of {samples:,} samples": [f"{one:.1f} s", "canny, 128 pixels"],
        f"comparison of eight runs of {samples:,}": [f"{several:.1f} s", "every statistic and its report; asked: 30"],
    }


def _said(lines: dict[str, list[str]]) -> dict[str, list[str]]:
    """The lines, printed as soon as they are there."""
    for name, line in lines.items():
        print(name, *line, flush=True)
    return lines


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _one_thread() -> None:
    torch.set_num_threads(1)


_loaded: dict[Work, tuple[Base, ControlNet, Sampling]] = {}  # of a process


def _parts(work: Work) -> tuple[Base, ControlNet, Sampling]:
    if work not in _loaded:
        _loaded[work] = work.load()
    return _loaded[work]


def _hint(side: int) -> Tensor:
    return torch.rand((1, 3, side, side), generator=torch.Generator().manual_seed(0))


def _theirs(work: Work, pictures: int) -> None:
    base, control, way = _parts(work)
    pipeline = StableDiffusionControlNetPipeline(
        vae=base.vae,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        unet=base.unet,
        controlnet=control.net,
        scheduler=base.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    for _ in range(pictures):
        pipeline(CAPTION, image=_hint(work.side), num_inference_steps=way.steps, guidance_scale=way.guidance)


def _ours(asked: tuple[Work, int]) -> None:
    work, pictures = asked
    base, control, way = _parts(work)
    for start in range(0, pictures, work.batch):
        count = min(work.batch, pictures - start)
        noise = first_noise(base, list(range(start, start + count)), resolution=work.side)
        hints = Hints(_hint(work.side).expand(count, -1, -1, -1)[:, None], torch.ones(count, 1))
        draw(base, control, [CAPTION] * count, hints, noise=noise, sampling=way)


def _write_run(folder: Path, samples: int, number: int) -> None:
    """An evaluation of `MADE` samples again and again under other keys, some of whose scores differ by run."""
    write_evaluation(folder, samples=MADE, blur=1.0 + number / 4)
    for path in (folder / SCORES_FILE, folder / "pictures" / "000000.parquet"):
        table = pq.read_table(path)
        pq.write_table(_tiled(table.cast(SCHEMA) if path.name == SCORES_FILE else table, samples), path)
    (folder / SPEC_FILE).unlink()
    write_spec(spec(rows=1_000 + number, asked=samples, wanted=samples), folder)


def _tiled(table: pa.Table, samples: int) -> pa.Table:
    place = table.schema.get_field_index("key")
    keys: list[NDArray[np.str_]] = [
        np.char.add(f"{copy:03d}-", np.array(table["key"].to_pylist())) for copy in range(samples // MADE)
    ]
    return pa.concat_tables([table.set_column(place, "key", pa.array(own.tolist())) for own in keys])


if __name__ == "__main__":
    run(main)
