"""Annotators against truth that is a condition itself: depth, masks, and all that the playroom knows.

Measured by each annotator's own measures of adherence, the truth in the place of what was asked for: so what is said
here of a detector is what its adherence scores rest on. Means over pictures.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from annotate.annotator import IMAGE
from annotate.chain import assemble, bind_links, follow, path_to
from annotate.corpora import playroom
from annotate.image import decode
from annotate.weights import offline
from benchmarks.truth_rows import Row
from evaluate.adherence import ADHERENCE
from evaluate.doctor.checkup import find_stand_in, why_not
from evaluate.measures.measure import Score
from evaluate.truth.depth import inverse_of, score_known
from manifests.condition import NO_CLASS, Condition

RGB = NDArray[np.uint8]
Pair = tuple[RGB, Condition]  # a picture and its truth
Mark = Callable[[Condition, Condition], dict[str, Score]]  # the truth, and what was found
TRUTHS = {"canny": "truth_edges", "depth": "truth_depth", "segmentation": "truth_segmentation",
          "openpose": "truth_openpose"}  # fmt: skip
UNSEEN = 1_000_000  # first row of seed 0 that is scored; the tiny detectors were trained on other seeds


def score_playroom(rows: int) -> Iterator[Row]:
    """Every annotator that the playroom has the truth of, by its stand-in where it has one."""
    for name, truth in TRUTHS.items():
        data = f"playroom, {rows} pictures"
        generated = (playroom.record(0, UNSEEN + row) for row in range(rows))
        pairs = ((one.image, one.truth[truth].condition) for one in generated)
        yield _score(name, data, pairs, find_stand_in(name).removeprefix("--set "))


def score_depth(folder: Path) -> Iterator[Row]:
    """NYUv2's depth, by the default detector, over the pixels whose depth the sensor knew."""
    files = sorted(folder.glob("depth_gt_*.png"))
    pairs = (_with_depth(file) for file in files)
    yield _score("depth", f"NYUv2, {len(files)} frames", pairs, mark=score_known)


def score_segmentation(folder: Path) -> Iterator[Row]:
    """ADE20K's masks, by the default detector."""
    files = sorted((folder / "sampleData/images").glob("*.jpg"))
    pairs = (
        (decode(file.read_bytes()), _classes(folder / "sampleData/annotations" / f"{file.stem}.png")) for file in files
    )
    yield _score("segmentation", f"ADE20K, {len(files)} pictures", pairs)


def _score(name: str, data: str, pairs: Iterator[Pair], setting: str = "", mark: Mark | None = None) -> Row:
    """The mean of each measure of adherence, over pictures whose truth isn't empty."""
    detector = f"{name} ({setting})" if setting else name
    annotators = assemble([name], [setting] if setting else [])
    with offline():
        if why := why_not(annotators, name):
            return Row(name, detector, data, {}, why)
        links = bind_links(annotators, path_to(annotators, name), torch.device("cpu"))
    assert annotators[path_to(annotators, name)[0]].reads == IMAGE
    mark = mark or ADHERENCE[name].score
    scores: list[Mapping[str, float]] = []
    for picture, truth in pairs:
        if not annotators[name].empty(truth):
            (found,) = follow(links, picture[None], ["truth"])
            scores.append({measure: score.value for measure, score in mark(truth, found).items()})
    names = [measure.name for measure in ADHERENCE[name].measures]
    figures = {measure: float(np.mean([score[measure] for score in scores])) for measure in names}
    return Row(name, detector, data, figures, f"over {len(scores)} pictures that have any")


def _with_depth(file: Path) -> Pair:
    """What is stored are distances, whose unit is not told and does not matter."""
    image = decode((file.parent / file.name.removeprefix("depth_gt_")).read_bytes())
    return image, inverse_of(cv2.imread(str(file), cv2.IMREAD_UNCHANGED))


def _classes(file: Path) -> NDArray[np.uint8]:
    """Of 1 to 150 with 0 for none, our indices from 0."""
    labels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    return np.where(labels == 0, np.uint8(NO_CLASS), (labels - 1).astype(np.uint8))
