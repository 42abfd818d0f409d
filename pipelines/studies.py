"""The six studies of the paper's open questions on the embedded default: their data, their trainings, their reports."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.planted.write import CORPUS
from pipelines import annotate, ingest, plant, study
from pipelines.entry import run as run_command
from train.launch import ROOT

DATA = ROOT / "data" / "studies"  # where the studies' manifests look
TINY = ROOT / "train" / "tiny_base" / "model"
FILES = ROOT / "manifests" / "studies"
STUDIES = ("dataset_size", "zero_convolution", "injection", "multi_condition", "prompt_regimes", "data_quality")
FAULTY = "data_quality"  # the study whose corpora have faults
CLEAN = "clean"  # the dataset without faults
FAULTS = ("greys", "jpeg", "captions")  # as plant.py takes them
SHARES = (5, 20, 50)  # percent
DETECTORS = ("depth.model=tiny/depth", "segmentation.model=tiny/segmentation")
ENCODER = (f"latents.base={TINY}", "latents.size=128")


def main(
    names: Annotated[list[str] | None, Argument(help=f"by default all: {', '.join(STUDIES)}")] = None,
    pictures: Annotated[int, Option(help="of the corpus", min=1)] = 12_000,
    faulty: Annotated[int, Option(help="of each corpus with planted faults", min=1)] = 5_000,
    cores: Annotated[float, Option(help="of each training; no GPU takes part", min=0.1)] = 1.0,
) -> None:
    """Answer the paper's open questions on a CPU: python pipelines/studies.py dataset_size

    docs/studies/ has the reports and the hours. Stopped and started again, it goes on where it was.
    """
    asked = check_names(names or list(STUDIES))
    if set(asked) - {FAULTY}:
        make(f"playroom:{pictures}", DATA / "playroom", ["canny", "depth", "segmentation"], [*DETECTORS, *ENCODER])
    if FAULTY in asked:
        make_faulty(faulty)
    for name in asked:
        out, published = ROOT / "runs" / name, ROOT / "docs" / "studies"
        study.main(FILES / f"{name}.yaml", out=out, cores=cores, gpus=0, published=published)


def check_names(names: list[str]) -> list[str]:
    """Names of studies, each once.

    Raises:
        ValueError: There is no such study.
    """
    unknown = [name for name in names if name not in STUDIES]
    if unknown:
        raise ValueError(f"{unknown[0]}: there is no such study here. There are {', '.join(STUDIES)}")
    return list(dict.fromkeys(names))


def make_faulty(pictures: int) -> None:
    """A clean corpus and, of each fault at each share, the same with the fault planted; all annotated."""
    source = f"playroom:{pictures}"
    for name, words in planted():
        corpus = DATA / f"{name}-corpus"
        if not (corpus / CORPUS).exists():
            greys, jpeg, captions = (words.get(fault, 0.0) for fault in FAULTS)
            plant.main(source, corpus, greys=greys, jpeg=jpeg, captions=captions, duplicates="exact")
        make(str(corpus), DATA / name, ["canny", "quality"], list(ENCODER), duplicates="exact")
        source = str(DATA / f"{CLEAN}-corpus")  # the rooms are drawn for the first alone


def planted() -> Iterator[tuple[str, dict[str, float]]]:
    """Name of each dataset, the clean one first, with what is planted."""
    yield CLEAN, {}
    for fault in FAULTS:
        for share in SHARES:
            yield f"{fault}_{share}", {fault: share / 100}


def make(corpus: str, dataset: Path, families: list[str], settings: list[str], *, duplicates: str = "") -> None:
    """Ingest a corpus and annotate it at the tiny base's 128 pixels; what is made already is left alone."""
    ingest.main(corpus, str(dataset), duplicates=duplicates)
    annotate.main(str(dataset), [*families, "latents"], resolution=128, set_=settings)


if __name__ == "__main__":
    run_command(main)
