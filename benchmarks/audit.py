"""What the audit finds of planted faults, and how often, on real photographs: docs/data-quality.md."""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from typer import Argument, Option

from annotate.annotate_worker import pin_threads
from annotate.image import decode
from benchmarks.captioned import Pair, as_jpeg, photographs, with_real_captions
from benchmarks.table import update
from evaluate.audit.audit import Plan, audit
from manifests.dataset import Dataset
from pipelines.entry import run
from tests.evaluate.audit import plant
from tests.evaluate.audit.conftest import build, copied

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "data-quality.md"
FAMILIES = ("canny", "lineart", "phash")
SETTINGS = ("lineart.model=standard",)
RESOLUTION = 128


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        found_by: the check, and the family that it is of.
        of_files: changes the corpus before it is ingested.
        of_shards: changes the dataset afterwards, some rows of it, by a share.
    """

    name: str
    found_by: tuple[str, str]
    of_files: Callable[[list[Pair], np.random.Generator], list[Pair]] | None = None
    of_shards: Callable[[Dataset, np.random.Generator], None] | None = None


def main(
    data: Annotated[Path, Argument(help="folder with photos/, coco-captioned/ and tuxpaint-stamps/")] = SHARED,
    plantings: Annotated[int, Option(help="of each fault, each with another seed", min=1)] = 10,
    rows: Annotated[int, Option(help="photographs in a dataset", min=20)] = 150,
    out: Annotated[Path, Option(help="Markdown file whose table is written")] = DOCUMENT,
) -> None:
    """Plant faults and look for them: python benchmarks/audit.py /data/labelled --plantings 10

    About half an hour on two cores.
    """
    pin_threads()
    photos, captioned = photographs(data), with_real_captions(data)
    head = ["planted", "found by", "sample 100", "50", "20", "other checks that failed"]
    command = f"`python benchmarks/audit.py DATA --plantings {plantings} --rows {rows}`"
    title = f"{command}: in how many plantings that check failed, and in brackets warned, by size of the sample."
    with tempfile.TemporaryDirectory() as home:
        for fault in FAULTS:
            pairs = captioned if fault.found_by[0] == "captions" else photos
            line = measure(fault, pairs, Path(home), plantings=plantings, rows=rows)
            update(out, name="audit", title=title, head=head, lines={fault.name: line})
            print(fault.name, line, flush=True)
    print(f"made {out}")


def measure(fault: Fault, pairs: Sequence[Pair], home: Path, *, plantings: int, rows: int) -> list[str]:
    """A line of the table: what finds it, how often by size of the sample, and what else failed."""
    right: Counter[tuple[int, str]] = Counter()
    others: Counter[str] = Counter()
    for seed in range(plantings):
        dataset = planted(fault, pairs, home, rows=rows, seed=seed)
        for size in (100, 50, 20):
            verdicts = audit(dataset, Plan((), size, seed), torch.device("cpu")).verdicts
            warned = {(one.check, one.family) for one in verdicts if one.state == "warn"}
            failed = {(one.check, one.family) for one in verdicts if one.state == "fail"}
            right[size, "fail" if fault.found_by in failed else "warn" if fault.found_by in warned else ""] += 1
            others.update(" ".join(one).strip() for one in failed - {fault.found_by})
    cells = [
        f"{right[size, 'fail']}/{plantings}" + (f" ({right[size, 'warn']})" if right[size, "warn"] else "")
        for size in (100, 50, 20)
    ]
    check = " ".join(fault.found_by).strip() or "none should"
    return [check, *cells, ", ".join(f"{name} {count}" for name, count in others.most_common()) or "none"]


def planted(fault: Fault, pairs: Sequence[Pair], home: Path, *, rows: int, seed: int) -> Dataset:
    """A dataset of some of the photographs with the fault in it; that of a seed is built once, and copied."""
    random = np.random.default_rng(seed)
    chosen = [pairs[place] for place in random.permutation(len(pairs))[:rows]]
    files = fault.of_files(chosen, random) if fault.of_files else chosen
    named = sha256("".join(caption for _, caption in files).encode() + b"".join(data[-64:] for data, _ in files))
    sound = home / named.hexdigest()[:16]
    if not (sound / "dataset").exists():
        sound.mkdir()
        build(sound / "dataset", write(files, sound / "corpus"), FAMILIES, SETTINGS, RESOLUTION)
    shutil.rmtree(home / "spoilt", ignore_errors=True)
    dataset = copied(Dataset.open(sound / "dataset"), home / "spoilt")
    if fault.of_shards:
        fault.of_shards(dataset, random)
    return dataset


def write(pairs: Sequence[Pair], folder: Path) -> str:
    """Pictures with sidecars, as a corpus in a folder."""
    folder.mkdir()
    for place, (picture, caption) in enumerate(pairs):
        (folder / f"{place:04d}.jpg").write_bytes(picture)
        (folder / f"{place:04d}.txt").write_text(caption)
    return str(folder)


def some(pairs: list[Pair], random: np.random.Generator, share: float) -> list[int]:
    """Places of a share of the rows."""
    return random.permutation(len(pairs))[: round(share * len(pairs))].tolist()


def copied_again(pairs: list[Pair], random: np.random.Generator) -> list[Pair]:
    """8 % of the rows are there once more, byte by byte."""
    return pairs + [pairs[place] for place in some(pairs, random, 0.08)]


def nearly_again(pairs: list[Pair], random: np.random.Generator) -> list[Pair]:
    """15 % of the rows are there once more, as a smaller JPEG of quality 70."""
    places = some(pairs, random, 0.15)
    small = [cv2.resize(decode(pairs[at][0]), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA) for at in places]
    return pairs + [(as_jpeg(image, 70), pairs[at][1]) for at, image in zip(places, small, strict=True)]


def changed(share: float, change: Callable[[NDArray[np.uint8]], bytes]) -> Callable[..., list[Pair]]:
    """A share of the pictures, changed."""

    def each(pairs: list[Pair], random: np.random.Generator) -> list[Pair]:
        places = set(some(pairs, random, share))
        return [(change(decode(one)) if at in places else one, said) for at, (one, said) in enumerate(pairs)]

    return each


def grey(image: NDArray[np.uint8]) -> bytes:
    """Without colour."""
    return as_jpeg(np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2), 95)


def shuffled(pairs: list[Pair], random: np.random.Generator) -> list[Pair]:
    """All captions beside other pictures."""
    order = random.permutation(len(pairs))
    return [(pairs[at][0], pairs[other][1]) for at, other in enumerate(order)]


def conditions(family: str, change: Callable[[Any], Any], share: float) -> Callable[..., None]:
    """A share of a family's conditions, changed in its shards."""
    return lambda dataset, _: plant.conditions(dataset, family, change, share)


def aside(condition: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """3 pixels to the right."""
    return np.ascontiguousarray(np.roll(condition, 3, axis=1))


def all_rolled(dataset: Dataset, _: np.random.Generator) -> None:
    """Every row has the condition of the one before it."""
    plant.rewrite(dataset, "canny", plant.rolled)


def words_exchanged(dataset: Dataset, random: np.random.Generator) -> None:
    """Captions of images/ put beside other rows."""

    def change(rows: list[plant.Row]) -> list[plant.Row]:
        order = random.permutation(len(rows))
        return [row | {"captions": rows[at]["captions"]} for row, at in zip(rows, order, strict=True)]

    plant.rewrite(dataset, plant.IMAGES, change)


def negative(edges: Any) -> Any:
    """Edges black on white."""
    return (1 - edges).astype(np.uint8)


def mirrored(condition: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left and right exchanged."""
    return np.ascontiguousarray(condition[:, ::-1])


def cut(soft: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Black and white alone."""
    return ((soft > 60) * 255).astype(np.uint8)


def halved(condition: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every second pixel."""
    return np.ascontiguousarray(condition[::2, ::2])


def failing(dataset: Dataset, _: np.random.Generator) -> None:
    """15 % of the rows failed."""
    plant.rewrite(dataset, "canny", plant.failing(0.15))


FAULTS = (
    Fault("nothing", ("", "")),
    Fault("negative edges, all rows", ("polarity", "canny"), of_shards=conditions("canny", negative, 1.0)),
    Fault("negative edges, 10 % of the rows", ("polarity", "canny"), of_shards=conditions("canny", negative, 0.1)),
    Fault("line drawings 3 px aside, 10 %", ("alignment", "lineart"), of_shards=conditions("lineart", aside, 0.1)),
    Fault("line drawings mirrored, 10 %", ("alignment", "lineart"), of_shards=conditions("lineart", mirrored, 0.1)),
    Fault("edges of the row before", ("pairing", "canny"), of_shards=all_rolled),
    Fault("line drawings in black and white, 10 %", ("values", "lineart"), of_shards=conditions("lineart", cut, 0.1)),
    Fault("edges of half the size, 10 %", ("size", "canny"), of_shards=conditions("canny", halved, 0.1)),
    Fault("15 % failed", ("failed", "canny"), of_shards=failing),
    Fault("8 % copies of the file", ("duplicates", ""), of_files=copied_again),
    Fault("15 % smaller copies", ("duplicates", ""), of_files=nearly_again),
    Fault("30 % grey", ("grey", ""), of_files=changed(0.3, grey)),
    Fault("20 % JPEG of quality 10", ("jpeg", ""), of_files=changed(0.2, lambda image: as_jpeg(image, 10))),
    Fault("captions shuffled after ingest", ("captions", ""), of_shards=words_exchanged),
    Fault("captions shuffled before ingest", ("captions", ""), of_files=shuffled),
    Fault("captions as they belong", ("captions", "")),
)


if __name__ == "__main__":
    run(main)
