"""How many planted copies of photographs share their cluster, how many strangers do, and what clustering takes."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray
from typer import Argument, Option

from annotate.hashing import PARTS, describe
from annotate.image import decode
from benchmarks.table import update
from manifests.splits.hashes import HASHES
from manifests.splits.near import DISTANCE, cluster
from pipelines.entry import run

RGB = NDArray[np.uint8]
Copy = Callable[[RGB, np.random.Generator], RGB]
FOLDERS = ("photos", "bsds500/images", "coco-captioned", "cc12m-32")
DOCUMENT = Path(__file__).parent.parent / "docs/data-quality.md"
BLOCK = 500  # pictures compared with all others at once


def saved(image: RGB, quality: int) -> RGB:
    """Written as JPEG and read again."""
    return decode(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def resized(image: RGB, scale: float) -> RGB:
    """Smaller, and saved at quality 90."""
    return saved(np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8), 90)


def grey(image: RGB) -> RGB:
    """Without colour."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def cut(image: RGB, share: float, rng: np.random.Generator) -> RGB:
    """That share of width and of height gone, from either side as chance has it; saved at quality 90."""
    height, width = (round(share * side) for side in image.shape[:2])
    top, left = int(rng.integers(0, height + 1)), int(rng.integers(0, width + 1))
    return saved(image[top : image.shape[0] - height + top, left : image.shape[1] - width + left], 90)


def trimmed(image: RGB, share: float) -> RGB:
    """That share gone on each of the four sides; saved at quality 90."""
    height, width = (round(share * side) for side in image.shape[:2])
    return saved(image[height : image.shape[0] - height, width : image.shape[1] - width], 90)


COPIES: dict[str, Copy] = {
    "resized to 75 %": lambda image, _: resized(image, 0.75),
    "resized to 50 %": lambda image, _: resized(image, 0.5),
    "JPEG quality 75": lambda image, _: saved(image, 75),
    "JPEG quality 50": lambda image, _: saved(image, 50),
    "JPEG quality 30": lambda image, _: saved(image, 30),
    "JPEG quality 10": lambda image, _: saved(image, 10),
    "grey": lambda image, _: grey(image),
    "cropped by 1 %": lambda image, rng: cut(image, 0.01, rng),
    "cropped by 2 %": lambda image, rng: cut(image, 0.02, rng),
    "cropped by 4 %": lambda image, rng: cut(image, 0.04, rng),
    "grey, 50 %, JPEG 50, cropped by 2 %": lambda image, rng: saved(resized(grey(cut(image, 0.02, rng)), 0.5), 50),
    "cropped by 4 % on every side": lambda image, _: trimmed(image, 0.04),
    "mirrored (not meant to be found)": lambda image, _: np.ascontiguousarray(image[:, ::-1]),
}


def main(
    data: Annotated[str, Argument(help="folder with photos/, bsds500/ and others; or a number of hashes to generate")],
    out: Annotated[Path, Option(help="Markdown file whose tables are brought up to date")] = DOCUMENT,
) -> None:
    """Measure: python benchmarks/duplicates.py ../shared/data; python benchmarks/duplicates.py 2000000"""
    (at_scale(int(data), out) if data.isdecimal() else on_photographs(Path(data), out))
    print(f"made {out}")


def on_photographs(data: Path, out: Path) -> None:
    """Plant copies of every photograph, and find them again."""
    rng = np.random.default_rng(0)
    images = [decode(path.read_bytes()) for folder in FOLDERS for path in sorted((data / folder).rglob("*.jpg"))]
    originals = np.stack([hashes(image) for image in images])
    copies = {kind: np.stack([hashes(make(image, rng)) for image in images]) for kind, make in COPIES.items()}
    lines = {}
    for kind, of in copies.items():
        distance = nearest(originals, of)
        whole = np.bitwise_count(originals[:, 0] ^ of[:, 0])
        lines[kind] = [percent(distance <= DISTANCE), percent(whole <= DISTANCE), f"{int(distance.max())}"]
    title = f"Copies of {len(images)} photographs found: `python benchmarks/duplicates.py ../shared/data`."
    head = ["copy", "found (%)", "by one hash (%)", "most bits"]
    update(out, name="recall of near-duplicates", title=title, head=head, lines=lines)
    lines = strangers(originals, copies)
    title = f"Unrelated photographs confused, of {len(images)}."
    update(out, name="confusion of near-duplicates", title=title, head=["", "", "of"], lines=lines)


def strangers(originals: NDArray[np.uint64], copies: Mapping[str, NDArray[np.uint64]]) -> dict[str, list[str]]:
    """How many pairs of different photographs are near, and rows beside copies of another photograph."""
    count = len(originals)
    near = dict.fromkeys((DISTANCE, 8, 12), 0)
    for start in range(0, count, BLOCK):
        distance = nearest(originals[start : start + BLOCK, None], originals[None])
        apart = np.arange(count)[None] > np.arange(start, start + len(distance))[:, None]
        for bits in near:
            near[bits] += int((apart & (distance <= bits)).sum())
    every = np.concatenate([originals, *copies.values()])
    of = np.tile(np.arange(count), len(copies) + 1)
    labels = cluster(every, np.arange(1, len(every) + 1).astype(np.uint64)).labels
    pairs = np.unique(np.stack([labels, of], axis=1), axis=0)
    mixed = pairs[np.append(False, pairs[1:, 0] == pairs[:-1, 0]), 0]
    wrong = int(np.isin(labels, mixed).sum())
    total = count * (count - 1) // 2
    lines = {f"pairs at most {bits} bits apart": [f"{found:,}", f"{total:,}"] for bits, found in near.items()}
    return lines | {"rows in a cluster with another photograph": [f"{wrong:,}", f"{len(every):,}"]}


def at_scale(count: int, out: Path) -> None:
    """Cluster generated hashes, four to a row, every twentieth row a copy of another with up to four bits turned."""
    rng = np.random.default_rng(0)
    rows = rng.integers(1, 1 << 63, (count, len(PARTS)), dtype=np.uint64)
    copies = rng.choice(count, count // 10, replace=False)
    rows[copies[::2]] = rows[copies[1::2]]
    for _ in range(DISTANCE):
        rows[copies[::2]] ^= np.uint64(1) << rng.integers(0, 64, (len(copies[::2]), 1)).astype(np.uint64)
    began = time.process_time()
    labels = cluster(rows, np.arange(1, count + 1).astype(np.uint64)).labels
    seconds = time.process_time() - began
    found = float((labels[copies[::2]] == labels[copies[1::2]]).mean())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    line = [f"{rows.size:,}", f"{seconds:.0f}", f"{most:.1f}", f"{100 * found:.2f}"]
    title = "Clustering generated hashes in one process: `python benchmarks/duplicates.py ROWS`."
    head = ["rows", "hashes", "processor seconds", "GiB at most", "copies found (%)"]
    update(out, name="clustering at scale", title=title, head=head, lines={f"{count:,}": line})


def hashes(image: RGB) -> NDArray[np.uint64]:
    """[K] of a picture, the whole picture's first."""
    stats = describe(b"", image)
    assert next(iter(PARTS)) == HASHES
    return np.array([stats[name] or 0 for name in PARTS], np.int64).view(np.uint64)


def nearest(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Fewest bits between any hash of one and any of the other, over the last axis."""
    least = np.uint8(64)
    for a in range(one.shape[-1]):
        for b in range(other.shape[-1]):
            least = np.minimum(least, np.bitwise_count(one[..., a] ^ other[..., b]))
    return np.asarray(least)


def percent(found: NDArray[np.bool_]) -> str:
    """Share of those found."""
    return f"{100 * found.mean():.1f}"


if __name__ == "__main__":
    run(main)
