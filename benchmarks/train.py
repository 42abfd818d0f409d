"""Training beside diffusers' train_controlnet.py: the same rows, base, batch and precision, in alternating rounds."""

import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch
from typer import Argument, Option
from upath import UPath

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from benchmarks.random_base import write_random_base
from benchmarks.trainers import Speed, Task, ours, theirs
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import ROWS, build_index, index_path
from manifests.layout import IMAGES
from manifests.manifest import Manifest, dump
from pipelines.entry import run as run_command
from pipelines.export import make as make_export
from train.export.export import begin_export, plan_export

TINY = Path(__file__).resolve().parent.parent / "train/tiny_base/model"
EXAMPLE = "examples/controlnet/train_controlnet.py"
PLAIN = ["latents=''", "engine.workers=0", "engine.compile=false", "engine.channels_last=false"]
LEVERS = {  # each alone, beside `PLAIN`
    "latents encoded beforehand": ["latents=latents"],
    "two workers": ["engine.workers=2"],
    "compile": ["engine.compile=true"],
    "channels_last": ["engine.channels_last=true"],
    "recompute: control": ["engine.recompute=control"],
    "recompute: all": ["engine.recompute=all"],
}
Run = Callable[[], Speed]


def main(  # noqa: PLR0913, PLR0917  options of a command
    checkout: Annotated[Path, Argument(help="of diffusers, with its examples")],
    folder: Annotated[Path, Argument(help="for data, base and runs; what is there already is used again")],
    device: Annotated[str, Option(help="cpu: the tiny base; cuda: one of Stable Diffusion 1.5's size")] = "cpu",
    corpus: Annotated[str, Option(help="as pipelines/ingest.py takes it")] = "playroom:1024",
    steps: Annotated[int, Option(help="of one run", min=4)] = 14,
    batch_size: Annotated[int, Option(min=1)] = 32,
    precision: Annotated[str, Option(help="no, bf16; by default bf16 on a GPU alone")] = "",
    rounds: Annotated[int, Option(help="whose median counts", min=1)] = 3,
    only: Annotated[str, Option(help="lines, by their names, separated by semicolons; by default all")] = "",
) -> None:
    """Compare: python benchmarks/train.py /src/diffusers /scratch/train

    Prints a table in Markdown: samples a second after the first steps, seconds to the end of the first, peak memory.
    On two cores 40 minutes with all lines; on an H200 `--device cuda --batch-size 32 --steps 60` a quarter of an hour.
    """
    script, cpu = checkout / EXAMPLE, device == "cpu"
    if not script.is_file():
        raise ValueError(f"{checkout}: no {EXAMPLE} is there. Give a checkout of huggingface/diffusers")
    base = TINY if cpu else write_random_base(folder / "base")
    manifest = manifest_of(folder, base, cpu=cpu, precision=precision or ("no" if cpu else "bf16"))
    manifest = with_settings(manifest, {"train": {"steps": steps, "batch_size": batch_size}})
    task = prepare(folder, corpus, manifest, cpu=cpu)
    wanted = [name.strip() for name in only.split(";") if name.strip()]
    lines = {name: line for name, line in lines_of(task, script).items() if not wanted or name in wanted}
    found: dict[str, list[Speed]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, line in lines.items():
            found[name].append(line())
            print(f"{name}: {found[name][-1].rate:.2f} samples/s", file=sys.stderr, flush=True)
    print(f"\n{describe(task, rounds)}\n\n{table(found)}")


def lines_of(task: Task, script: Path) -> dict[str, Run]:
    """What is compared, by the names of the table's lines."""
    levers = {f"ours plain, {name}": partial(ours, task, [*PLAIN, *words]) for name, words in LEVERS.items()}
    return {
        "diffusers": partial(theirs, task, script, []),
        "ours": partial(ours, task, []),
        "diffusers, two workers": partial(theirs, task, script, ["--dataloader_num_workers", "2"]),
        "ours plain": partial(ours, task, PLAIN),
        **levers,
    }


def manifest_of(folder: Path, base: Path, *, cpu: bool, precision: str) -> Manifest:
    """Ours, with latents, at the size of the base, and nothing looked at while it trains."""
    watch = {"monitor_every": 0, "probe_every": 0, "probe_rows": 0, "checkpoint_every": 1_000_000, "log_every": 5}
    return Manifest.model_validate(
        {
            "dataset": str((folder / "dataset").absolute()),
            "condition": "canny",
            "rows": 1,
            "base": str(base.absolute()),
            "resolution": 128 if cpu else 512,
            "latents": "latents",
            "train": {"precision": precision},
            "watch": watch,
        }
    )


def with_settings(manifest: Manifest, changes: dict[str, Any]) -> Manifest:
    """The manifest with other fields, those of a section one by one."""
    said = manifest.model_dump(mode="json")
    merged = {name: {**said[name], **value} if isinstance(value, dict) else value for name, value in changes.items()}
    return Manifest.model_validate(said | merged)


def prepare(folder: Path, corpus: str, manifest: Manifest, *, cpu: bool) -> Task:
    """Make the rows as both read them, unless they are there."""
    dataset = make_dataset(folder / "dataset", corpus, manifest, cpu=cpu)
    rows = round(len(dataset.planned()) and dataset.rows() * 0.8)
    manifest = with_settings(manifest, {"rows": rows})
    path = folder / "train.yaml"
    path.write_text(dump(manifest))
    export = plan_export(manifest, held=1, shard_rows=2_048)
    begin_export(export, UPath(folder / "export"))
    make_export(export, UPath(folder / "export"))
    train = manifest.train
    return Task(
        folder=folder.absolute(),
        export=folder.absolute() / "export",
        manifest=path.absolute(),
        base=Path(manifest.base),
        resolution=manifest.resolution,
        batch_size=train.batch_size,
        precision=train.precision,
        steps=train.steps,
        cpu=cpu,
    )


def make_dataset(root: Path, corpus: str, manifest: Manifest, *, cpu: bool) -> Dataset:
    """Ingest and annotate in this process: edges, and latents of the base."""
    dataset = make_plan(root, find_corpus(corpus), splits={"train": 0.9, "validation": 0.05, "test": 0.05})
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    settings = [f"latents.base={manifest.base}", f"latents.size={manifest.resolution}"]
    tasks = make_tasks(dataset, ["canny", "latents"], settings=settings, resolution=manifest.resolution)
    for task in tasks:
        create_card(dataset.root, task.card)
    device = torch.device("cpu" if cpu else "cuda")
    for name in sorted({*dataset.missing("canny"), *dataset.missing("latents")}):
        annotate_shard(dataset, name, bind(tasks, device), batch_size=8, threads=1, done=lambda _: None)
    if not index_path(dataset, ROWS).exists():
        build_index(dataset)
    return dataset


def describe(task: Task, rounds: int) -> str:
    """What stands above the table."""
    where = "a CPU" if task.cpu else torch.cuda.get_device_name()
    what = f"batch {task.batch_size}, {task.resolution} pixels, precision {task.precision}"
    return f"{where}, torch {torch.__version__}; {what}, {task.steps} steps, median of {rounds} rounds."


def table(found: dict[str, list[Speed]]) -> str:
    """One line for each side and lever; the last column compares with the first line."""
    head = "| | samples/s | first step, s | peak, MB | rate beside the first line |\n|---|---|---|---|---|"
    rates = {name: statistics.median(speed.rate for speed in speeds) for name, speeds in found.items()}
    first = next(iter(rates.values()))
    lines = [head]
    for name, speeds in found.items():
        start = statistics.median(speed.start for speed in speeds)
        memory = max(speed.memory for speed in speeds)
        lines.append(f"| {name} | {rates[name]:.2f} | {start:.1f} | {memory:,.0f} | {rates[name] / first:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
