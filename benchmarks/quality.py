"""How well planted faults are told from what was there, and how fast quality is measured: docs/data-quality.md."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from scipy.stats import mannwhitneyu
from typer import Argument, Option

from annotate.caption_quality import judge as judge_caption
from annotate.image import decode, encode_generated
from annotate.quality.annotator import judge
from annotate.stored import Stored
from benchmarks.faults import CAPTIONS, MEASURES, PICTURES, Fault, Thing
from benchmarks.table import update
from pipelines.entry import run

FOLDERS = ("photos", "bsds500", "coco-captioned", "cc12m-32", "people")
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "data-quality.md"
HEAD = ("fault", "told by", "AUC", "found", "said of the others", "how many")
PIXELS = 500_000  # of the photographs that are timed
TIMED = 60
ROUNDS = 3  # of which the fastest counts


def main(
    data: Annotated[Path, Argument(help=f"folder with {', '.join(FOLDERS)}")],
    every: Annotated[int, Option(help="take every n-th photograph", min=1)] = 1,
    out: Annotated[Path, Option(help="Markdown file whose table is written anew")] = DOCUMENT,
) -> None:
    """Plant faults and look for them: python benchmarks/quality.py /data/photographs

    Some minutes on one core.
    """
    cv2.setNumThreads(1)
    files = [file for folder in FOLDERS for file in sorted((data / folder).rglob("*.jpg"))][::every]
    images = [decode(file.read_bytes()) for file in files]
    rate = speed(files[:: max(1, len(files) // TIMED)])
    captions = sorted({caption for caption in read_captions(data) if caption.isascii()})
    lines = {fault.name: score(fault, images, MEASURES[fault.stat]) for fault in PICTURES}
    for fault in CAPTIONS:
        lines[fault.name] = score(fault, captions, lambda caption, stat=fault.stat: judge_caption(caption)[stat])
    title = (
        f"`python benchmarks/quality.py DATA`, {len(images)} photographs, {len(captions)} captions. `quality` measures "
        f"{rate:.0f} photographs of half a megapixel a second on one core, their decoding aside."
    )
    update(out, name="quality", title=title, head=HEAD, lines=lines)
    print(title)
    for name, line in lines.items():
        print(name, *line, sep="  ")
    print(f"made {out}")


def speed(files: Sequence[Path]) -> float:
    """Photographs of `PIXELS` that a second of processor time is enough for, once they are decoded."""
    rows = []
    for file in files:
        image = decode(file.read_bytes())
        by = (PIXELS / (image.shape[0] * image.shape[1])) ** 0.5
        sized = cv2.resize(image, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC)
        rows.append(Stored(encode_generated(np.asarray(sized, np.uint8))))
        assert rows[-1].image.size, "decoded here, and not while it is timed"
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for row in rows:
            judge(row)
        seconds.append(time.process_time() - began)
    return len(rows) / min(seconds)


def score(fault: Fault[Thing], things: Sequence[Thing], measure: Callable[[Thing], float]) -> list[str]:
    """A line of the table: each thing with the fault, beside the same ones without."""
    sign = 1 if fault.sign == ">" else -1
    faulty = sign * np.array([measure(fault.plant(thing)) for thing in things], float)
    others = sign * np.array([measure(fault.plain(thing)) for thing in things], float)
    auc = mannwhitneyu(faulty, others).statistic / len(things) ** 2
    found, wrong = (float(np.mean(values > sign * fault.threshold)) for values in (faulty, others))
    rule = f"`{fault.stat} {fault.sign} {fault.threshold:g}`"
    return [rule, f"{auc:.3f}", f"{found:.1%}", f"{wrong:.1%}", str(len(things))]


def read_captions(data: Path) -> list[str]:
    """Captions that people, a list of classes or web pages gave the photographs."""
    lines = (data / "photos/metadata.jsonl").read_text().splitlines()
    described = json.loads((data / "coco-captioned/captions.json").read_text())
    return [
        *(json.loads(line)["text"] for line in lines),
        *(caption for picture in described for caption in picture["captions"]),
        *(file.read_text().strip() for file in sorted((data / "cc12m-32").rglob("*.txt"))),
    ]


if __name__ == "__main__":
    run(main)
