"""Whole bodies by DWPose (Yang et al. 2023, Apache-2.0): a detector, then a network over each person, by onnxruntime.

Pre-processing and decoding are those published with it (IDEA-Research/DWPose, branch onnx), in batches. One difference:
where the detector sees nobody there is nobody; the published code then looks for a person in the whole picture.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.openpose.persons import Boxes, find_persons
from annotate.openpose.points import find_points
from annotate.weights import find_file
from manifests.body import COCO_OF_BODY, NECK
from manifests.figures import BODY, HAND, WHOLE_BODY

WEIGHTS = ("yolox_l.onnx", "dw-ll_ucoco_384.onnx")
VISIBLE = 0.3  # score above which a point is there
LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6
# For each of the 18 points of OpenPose, the one of COCO-WholeBody's 133; the neck lies between the shoulders.
_BODY = [*COCO_OF_BODY[:NECK], LEFT_SHOULDER, *COCO_OF_BODY[NECK:]]
_LEFT_HAND, _RIGHT_HAND, _FACE = range(91, 112), range(112, 133), range(23, 91)  # of the feet none; of the face 68
_ORDER = [*_BODY, *_LEFT_HAND, *_RIGHT_HAND, *_FACE]

Whole = list[NDArray[np.float32]]  # of one picture: [130, 3] x, y in pixels, score
Run = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]  # a network: a batch to its outputs


def load(device: torch.device) -> Callable[[NDArray[np.uint8]], list[Whole]]:
    """Bind both networks: a function of pictures [B, H, W, 3] uint8 RGB to their people."""
    detector, pose = (_session(file, device) for file in WEIGHTS)
    side_of_input = tuple(pose.get_inputs()[0].shape[2:])
    return partial(find_whole, detect=partial(_run, detector), locate=partial(_run, pose), window=side_of_input)


def find_whole(images: NDArray[np.uint8], *, detect: Run, locate: Run, window: tuple[int, int]) -> list[Whole]:
    """Find the people of each picture.

    Args:
        images: [B, H, W, 3] uint8 RGB.
        detect: of [B, 3, 640, 640] float32 to [B, 8400, 85].
        locate: of [N, 3, *window] float32 to [N, 133, 2 width], [N, 133, 2 height].
    """
    boxes: Sequence[Boxes] = find_persons(images, detect)
    points = find_points(images, boxes, locate, window)
    return [[person for person in map(as_openpose, people) if person[:BODY, 2].any()] for people in points]


def as_openpose(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """[133, 3] in COCO-WholeBody's order to [130, 3] in OpenPose's: no feet, a neck, no pupils."""
    person = points[_ORDER]
    shoulders = points[[LEFT_SHOULDER, RIGHT_SHOULDER]]
    person[NECK] = *shoulders[:, :2].mean(0), shoulders[:, 2].min()
    person = np.pad(person, ((0, WHOLE_BODY - len(person)), (0, 0)))
    person[:, 2] = np.minimum(person[:, 2], 1)
    return person * (person[:, 2:] > VISIBLE)


def wanted(people: Whole, *, hands: bool, face: bool) -> tuple[NDArray[np.float32], ...]:
    """Bodies alone, [18, 3], or with the hands or the face, [130, 3], and zeros for what is not wanted."""
    if not (hands or face):
        return tuple(person[:BODY] for person in people)
    kept = np.ones((WHOLE_BODY, 1), np.float32)
    kept[BODY : BODY + 2 * HAND] = hands
    kept[BODY + 2 * HAND :] = face
    return tuple(person * kept for person in people)


def _session(file: str, device: torch.device) -> Any:
    """One network of onnxruntime, on the device if it can be."""
    path = find_file(file)
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError("openpose with model=dwpose needs onnxruntime: pip install 'pairmill[pose]'") from error
    exact = {"device_id": device.index or 0, "use_tf32": 0}  # as everything else that is annotated
    wished = [("CUDAExecutionProvider", exact)] if device.type == "cuda" else []
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    there = onnxruntime.get_available_providers()
    providers = [(name, how) for name, how in (*wished, ("CPUExecutionProvider", {})) if name in there]
    try:
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as error:  # onnxruntime's own classes of errors have no common base
        raise ValueError(f"{path}: not a network that onnxruntime can load. Put the published file there") from error


def _run(session: Any, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Run a network over a batch, in pieces where its input has a fixed number of pictures."""
    given = session.get_inputs()[0]
    step = given.shape[0] if isinstance(given.shape[0], int) else len(batch)
    done = [session.run(None, {given.name: batch[start : start + step]}) for start in range(0, len(batch), step)]
    return [np.concatenate(outputs) for outputs in zip(*done, strict=True)]
