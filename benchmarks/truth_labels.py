"""Annotators against people's labels by the very measures that models are scored by: `ADHERENCE`, nothing else."""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from scipy.io import loadmat

from annotate.chain import assemble, bind_links, follow, path_to
from annotate.image import decode
from annotate.weights import offline
from benchmarks.truth_people import FILE, SMALL, Small, ours, read_labels
from benchmarks.truth_rows import Row
from evaluate.adherence import ADHERENCE
from evaluate.doctor.checkup import why_not
from evaluate.measured import statistic_of
from evaluate.scores import SCHEMA, gather, score_rows
from evaluate.true_condition import as_asked
from evaluate.truth.people import Label
from manifests.body import JOINTS, NECK, OPENPOSE_OF_COCO
from manifests.condition import NO_CLASS, Condition
from manifests.figures import Poses

RGB = NDArray[np.uint8]
Pair = tuple[Condition, Condition]  # people's, and the annotator's
EDGES = ("canny", "hed", "softedge")
DEEPLAB = "deeplab-ade20k-32/deeplabv3_mnv2_ade20k_uint8.tflite"
CLASSES = 31  # that it knows, of ADE20K's 150: the most frequent


def score_boundaries(folder: Path, limit: int) -> Iterator[Row]:
    """Edges against what any of BSDS500's people drew, at the pictures' own size."""
    files = sorted((folder / "images").glob("*.jpg"))
    files = files[:: max(1, len(files) // limit)][:limit]
    data = f"BSDS500 validation, labelled by people, {len(files)} pictures"
    for name in EDGES:
        annotators = assemble([name])
        with offline():
            if why := why_not(annotators, name):
                yield Row(name, name, data, {}, why)
                continue
            links = bind_links(annotators, path_to(annotators, name), torch.device("cpu"))
        asked = [as_asked(annotators[name].kind, _drawn_by_people(file), of="binary") for file in files]
        found = [follow(links, decode(file.read_bytes())[None], [""])[0] for file in files]
        pairs = list(zip(asked, found, strict=True))
        yield Row(name, name, data, figures(name, pairs), "measures of adherence")


def score_poses(folder: Path, weights: Path) -> Iterator[Row]:
    """People against COCO's labels."""
    pictures, labels = read_labels(folder)
    data = f"COCO, labelled by people, {len(pictures)} pictures"
    if find_spec("onnxruntime") is None or not (weights / FILE).is_file():
        yield Row("openpose", SMALL, data, {}, f"not here: onnxruntime, or {weights / FILE}")
        return
    find = ours(Small(weights / FILE))
    pairs = [(as_poses(asked, picture), find(picture)) for picture, asked in zip(pictures, labels, strict=True)]
    yield Row("openpose", SMALL, data, figures("openpose", pairs), "measures of adherence")


def score_classes(folder: Path, weights: Path) -> Iterator[Row]:
    """Classes against ADE20K's masks, of which only those count that the network knows."""
    files = sorted((folder / "sampleData/images").glob("*.jpg"))
    data, name = f"ADE20K, labelled by people, {len(files)} pictures", "DeepLabv3+ MobileNetV2 of 31 classes"
    if find_spec("ai_edge_litert") is None or not (weights / DEEPLAB).is_file():
        yield Row("segmentation", name, data, {}, f"not here: ai-edge-litert, or {weights / DEEPLAB}")
        return
    find = deeplab(weights / DEEPLAB)
    pairs = []
    for file in files:
        masks = cv2.imread(str(folder / "sampleData/annotations" / f"{file.stem}.png"), cv2.IMREAD_UNCHANGED)
        known = (masks >= 1) & (masks <= CLASSES)
        asked = np.where(known, masks - 1, NO_CLASS).astype(np.uint8)
        pairs.append((asked, find(decode(file.read_bytes()))))
    yield Row("segmentation", name, data, figures("segmentation", pairs), "of the classes it knows")


def figures(annotator: str, pairs: Sequence[Pair]) -> dict[str, float]:
    """Every measure of adherence, of the set as `pipelines/evaluate.py` makes it."""
    adherence = ADHERENCE[annotator]
    rows = [
        row
        for number, (asked, found) in enumerate(pairs)
        for row in score_rows(adherence.score(asked, found), key=f"{number:06d}", draw=0, seed=0, arm="oracle")
    ]
    scores, every = gather([pa.Table.from_pylist(rows, schema=SCHEMA)]), np.ones((1, len(pairs)))
    return {
        measure.name: float(statistic_of(scores, measure, ["oracle"])[1](every)[0, 0]) for measure in adherence.measures
    }


def as_poses(labels: Sequence[Label], picture: RGB) -> Poses:
    """COCO's labels of one picture as our own people; those without a keypoint, and crowds, are left out."""
    kept = [label for label in labels if label.points[:, 2].any() and not label.crowd]
    return Poses(picture.shape[:2], tuple(_body(label) for label in kept))


def _body(label: Label) -> NDArray[np.float32]:
    """Joints in OpenPose's order; the neck, which COCO has not, stays without a point."""
    body = np.zeros((len(JOINTS), 3), np.float32)
    body[list(OPENPOSE_OF_COCO)] = label.points
    body[:, 2] = body[:, 2] > 0
    assert not body[NECK, 2]
    return body


def _drawn_by_people(file: Path) -> NDArray[np.uint8]:
    truth: Any = loadmat(file.parent.parent / "groundTruth" / f"{file.stem}.mat")["groundTruth"]
    people = [truth[0, person]["Boundaries"][0, 0].astype(bool) for person in range(truth.shape[1])]
    return np.any(people, axis=0).astype(np.uint8)


def deeplab(path: Path) -> Callable[[RGB], NDArray[np.uint8]]:
    """A network in TensorFlow Lite: a picture to classes [H, W] uint8, `NO_CLASS` where it knows none."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()

    def find(image: RGB) -> NDArray[np.uint8]:
        interpreter.set_tensor(given["index"], cv2.resize(image, (512, 512), interpolation=cv2.INTER_AREA)[None])
        interpreter.invoke()
        classes = interpreter.get_tensor(wanted["index"])[0].astype(np.int32)
        found = np.where(classes == 0, NO_CLASS, classes - 1).astype(np.uint8)
        return cv2.resize(found, image.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)

    return find
