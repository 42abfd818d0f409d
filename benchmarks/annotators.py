"""Every annotator beside the detector that people use for it: same weights, pictures and machine, one process each."""

import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

warnings.simplefilter("ignore")  # controlnet_aux and timm warn of themselves

import cv2
import numpy as np
import torch
from PIL import Image
from typer import Argument, Option

from annotate.ahead import helpers
from annotate.chain import Link, assemble, bind_links, follow, path_to
from annotate.image import decode, fit
from annotate.weights import OTHERS, VARIABLE
from annotate.worker import keep_memory
from benchmarks.peers import PEERS, Detector, Peer
from benchmarks.stages import STAGES, Clocks, clock
from benchmarks.table import update
from benchmarks.untrained import provide
from manifests import condition
from manifests.parallel import ahead
from pipelines.entry import run

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT.parent / "shared/data/photos"
RESOLUTION = 512  # pixels of the short side; both sides multiples of 64, so that controlnet_aux changes nothing
BATCHES = (1, 8)
HEAD = ("", "weights", "theirs, img/s", "ours, batch 1", "batch 8", "ours / theirs", *STAGES)


def main(
    photos: Annotated[Path, Argument(help="folder of JPEG photographs")] = PHOTOS,
    only: Annotated[str, Option(help="lines of the table, with commas between; all if empty")] = "",
    count: Annotated[int, Option(help="photographs; a multiple of 8")] = 8,
    device: Annotated[str, Option(help="cpu or cuda")] = "cpu",
    threads: Annotated[int, Option(help="that decode and encode beside ours; 0: one thread does everything")] = 0,
    out: Annotated[Path, Option(help="Markdown file whose table is brought up to date")] = ROOT / "docs/benchmarks.md",
) -> None:
    """Compare: python benchmarks/annotators.py /data/photos --device cuda --count 256 --threads 8

    Four minutes on a CPU, each side on one thread. Weights are those in PAIRMILL_WEIGHTS, else untrained ones.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    keep_memory()  # as our workers do; theirs gain by it too
    wanted = only.split(",") if only else list(PEERS)
    where = torch.device(device)
    table = f"annotators on {hardware(where)}"
    with tempfile.TemporaryDirectory(prefix="pairmill-bench-") as name:
        files = resize(photos, count, Path(name) / "photos")
        for line in wanted:
            try:
                row = compare(PEERS[line], files, Clocks(where, clock(where, threads)), threads)
            except ValueError as error:
                print(f"{line:16}left out: {error}", flush=True)
                continue
            print(f"{line:16}" + "".join(f"{cell:>12}" for cell in row), flush=True)
            title = (
                f"### {hardware(where)}\n\n{count} photographs of {size(files[0])} pixels, {threads} helping threads."
            )
            update(out, name=table, title=title, head=HEAD, lines={line: row})


def compare(peer: Peer, files: Sequence[Path], clocks: Clocks, threads: int) -> list[str]:
    """One line of the table, after a first picture that isn't timed."""
    given = Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None
    chain = assemble([peer.annotator], [f"{peer.annotator}.{name}={value}" for name, value in peer.settings.items()])
    with tempfile.TemporaryDirectory(prefix="pairmill-weights-") as name:
        folder = Path(name)
        names = dict.fromkeys([weights for one in chain.values() for weights in one.weights] + list(peer.weights))
        kinds = {provide(weights, given, folder) for weights in names}
        os.environ[VARIABLE] = name
        os.environ[OTHERS] = "1"  # untrained ones are as fast
        try:
            links = bind_links(chain, path_to(chain, peer.annotator), clocks.device)
            theirs = peer.build(folder, clocks.device)
        finally:
            os.environ.pop(VARIABLE) if given is None else os.environ.update({VARIABLE: str(given)})
        few = files[: len(files) // 2]  # go through the loop and batches of one, each by itself: enough
        rates = [loop_rate(theirs, few, folder, clocks)]
    del theirs
    rates += [our_rate(links, few if batch == 1 else files, batch, threads, clocks) for batch in BATCHES]
    kind = " and ".join(sorted(kinds)) or "none"
    shares = [f"{100 * share:.0f} %" for share in clocks.shares().values()]
    return [kind, *(f"{rate:.3g}" for rate in rates), f"{rates[-1] / rates[0]:.2f}", *shares]


def loop_rate(detector: Detector, files: Sequence[Path], out: Path, clocks: Clocks) -> float:
    """Pictures a second of what people write: decode, detect, save."""

    def go_through(some: Sequence[Path]) -> None:
        for path in some:
            detector(Image.open(path).convert("RGB")).save(out / f"{path.stem}.png")

    go_through(files[:1])
    began = clocks.seconds()
    go_through(files)
    return len(files) / (clocks.seconds() - began)


def our_rate(links: Sequence[Link], files: Sequence[Path], batch: int, threads: int, clocks: Clocks) -> float:
    """Pictures a second of ours, from file to encoded condition, with the work ahead of and behind the model."""

    def read(path: Path) -> Any:
        with clocks.of("decode"):
            return fit(decode(path.read_bytes()), RESOLUTION, "aux")

    def write(made: Any) -> Any:
        with clocks.of("encode"):
            last = links[-1].annotator
            return last.measure(made), last.empty(made), condition.encode(last.kind, made)

    def go_through(some: Sequence[Path]) -> None:
        encoded: list[Future[Any]] = []
        pictures = ahead(pool, read, some, 4 * batch)
        while arrays := list(islice(pictures, batch)):
            with clocks.of("annotate"):
                made = follow(links, np.stack(arrays), [str(place) for place in range(len(arrays))])
            encoded += [pool.submit(write, one) for one in made]
        for future in encoded:
            future.result()

    with helpers(threads) as pool, clocks.on_networks():
        go_through(files[:1] if clocks.device.type == "cpu" else files[:batch])
        clocks.spent.clear()
        began = clocks.seconds()
        go_through(files)
        return len(files) / (clocks.seconds() - began)


def resize(photos: Path, count: int, folder: Path) -> list[Path]:
    """So many photographs of the size that most have, resized as controlnet_aux does, as JPEG."""
    found = sorted(photos.glob("*.jpg"))
    if not found:
        raise ValueError(f"{photos}: no *.jpg there. Give a folder of photographs: make bench PHOTOS=/data/photos")
    folder.mkdir()
    images = {path: fit(decode(path.read_bytes()), RESOLUTION, "aux") for path in found[: 4 * count]}
    ((shape, _),) = Counter(image.shape for image in images.values()).most_common(1)
    same = [(path, image) for path, image in images.items() if image.shape == shape][:count]
    for path, image in same:
        Image.fromarray(image).save(folder / path.name, quality=95)
    return [folder / path.name for path, _ in same]


def size(path: Path) -> str:
    """Width and height of a picture, in words."""
    with Image.open(path) as picture:
        return f"{picture.width} x {picture.height}"


def hardware(device: torch.device) -> str:
    """What a table was measured on."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"one thread of {names[0] if names else 'a CPU'}, torch {torch.__version__}"


if __name__ == "__main__":
    run(main)
