"""The whole way on the embedded default: a corpus, a dataset, a ControlNet and a report, offline, in minutes."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Option

from manifests.manifest import load_manifest
from manifests.subset import resolve
from pipelines import annotate, ingest
from pipelines.entry import run as run_command
from pipelines.evaluate import evaluate_run
from train.launch import ROOT, ensure_trained

MANIFEST = ROOT / "manifests" / "quickstart.yaml"


def main(
    folder: Annotated[Path, Option(help="gets data/playroom and runs/quickstart; this repository by default")] = ROOT,
    pictures: Annotated[int, Option(help="size of the corpus", min=1)] = 4_000,
    steps: Annotated[int | None, Option(help="of training; those of manifests/quickstart.yaml by default")] = None,
) -> None:
    """Go the whole way on two cores in twelve minutes: python pipelines/quickstart.py

    Its last lines are a table, in which canny's normalised f1_1px is 0.6 or more, and the path of the report. Stopped
    and started again, it goes on where it was.
    """
    dataset, run = folder.absolute() / "data" / "playroom", folder.absolute() / "runs" / "quickstart"
    overrides = [f"dataset={dataset}", *([f"train.steps={steps}"] if steps else [])]
    manifest = load_manifest(MANIFEST, overrides)
    with step("1/5 ingest: draw a corpus, store it as a dataset"):
        ingest.main(f"playroom:{pictures}", str(dataset))
    with step("2/5 annotate: trace canny edges and encode pictures on a local Ray"):
        encoder = [f"latents.base={manifest.base}", f"latents.size={manifest.resolution}"]
        annotate.main(str(dataset), ["canny", "latents"], resolution=manifest.resolution, set_=encoder)
    with step("3/5 subset: draw the training rows"):
        subset = resolve(manifest)
        print(f"{len(subset.rows)} of {subset.found} rows, fingerprint {subset.fingerprint}")
    with step("4/5 train: accelerate launch train/run.py --manifest manifests/quickstart.yaml"):
        if not ensure_trained(MANIFEST, run, overrides):
            print(f"{run}: trained already")
    with step("5/5 evaluate: draw the test split, annotate it again, score"):
        evaluate_run(run, run / "evaluation", [])


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"\n{name}", flush=True)
    began = time.perf_counter()
    yield
    print(f"  {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    run_command(main)
