"""Edges against the boundaries that people drew in BSDS500's validation pictures."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.io import loadmat
from tqdm import tqdm

from annotate.image import decode, fit
from annotate.registry import build
from annotate.weights import VARIABLE
from benchmarks.truth_rows import Row
from evaluate.truth.boundaries import Mask, count, summarise, thin

RESOLUTION = 320  # of the short side: BSDS's own 321 as a multiple of 64, which controlnet_aux rounds to
THRESHOLDS = tuple(round(step / 13, 3) for step in range(2, 13))
CANNY = (75, 100, 150, 200, 300, 400, 500)  # its upper thresholds; the lower one is half of it
SOFT = {"hed": "HEDdetector", "softedge": "PidiNetDetector"}  # and controlnet_aux's detector of the same weights
DATA = "BSDS500 validation"

RGB = NDArray[np.uint8]
Find = Callable[[RGB], list[Mask]]  # a picture to its edges at each threshold

_finders: dict[str, Find] = {}  # of a process


def score_edges(folder: Path, limit: int, processes: int) -> Iterator[Row]:
    """ODS and OIS of every edge detector whose weights are here, beside controlnet_aux's."""
    pictures = sorted((folder / "images").glob("*.jpg"))
    pictures = pictures[:: max(1, len(pictures) // limit)][:limit]
    if not pictures:
        yield Row("edges", "-", DATA, {}, f"no pictures in {folder}")
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start) as pool:
        found = list(tqdm(pool.map(_count, pictures), total=len(pictures), desc="edges", unit="img"))
    for name in found[0]:
        steps = CANNY if name.startswith("canny") else THRESHOLDS
        best = summarise(np.stack([counts[name] for counts in found]), steps)
        figures = {"ODS F": best.ods, "OIS F": best.ois, "precision": best.precision, "recall": best.recall}
        yield Row("edges", name, f"{DATA}, {len(pictures)} pictures", figures, f"threshold {best.threshold:g}")


def _start() -> None:
    """Load the detectors in one process."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder = os.environ[VARIABLE]
    for name, theirs in SOFT.items():
        _finders[f"{name}, ours"] = _ours(name)
        _finders[f"{name}, controlnet_aux"] = _theirs(theirs, folder)
    _finders["canny, ours"] = _canny


def _count(path: Path) -> dict[str, NDArray[np.int64]]:
    """Counts of one picture, by detector."""
    image = decode(path.read_bytes())
    truth = loadmat(path.parent.parent / "groundTruth" / f"{path.stem}.mat")["groundTruth"]
    people = [truth[0, person]["Boundaries"][0, 0].astype(bool) for person in range(truth.shape[1])]
    return {name: count(find(image), people) for name, find in _finders.items()}


def _ours(name: str) -> Find:
    annotator = build(name, {}, name)
    annotate = annotator.load(torch.device("cpu"))
    return lambda image: _cut(annotate(fit(image, RESOLUTION)[None], [annotator.draw("")])[0], image)


def _theirs(name: str, folder: str) -> Find:
    import controlnet_aux

    detector = getattr(controlnet_aux, name).from_pretrained(folder)

    def find(image: RGB) -> list[Mask]:
        soft = detector(image, detect_resolution=RESOLUTION, image_resolution=RESOLUTION, output_type="np")
        return _cut(soft[..., 0], image)

    return find


def _cut(soft: NDArray[np.uint8], image: RGB) -> list[Mask]:
    """A soft map at the picture's size, thinned, cut at every threshold."""
    same = cv2.resize(soft, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    ridges = thin(same)
    return [np.asarray(ridges >= threshold) for threshold in THRESHOLDS]


def _canny(image: RGB) -> list[Mask]:
    return [_edges(image, high) for high in CANNY]


def _edges(image: RGB, high: int) -> Mask:
    canny = build("canny", {"low": high // 2, "high": high}, "canny")
    (edges,) = canny.load(torch.device("cpu"))(image[None], [canny.draw("")])
    return np.asarray(edges, bool)
