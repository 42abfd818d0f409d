"""People against COCO's labels, by our steps after a network's maps and by controlnet_aux's, with the same network."""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.image import decode
from annotate.openpose.body import find_bodies
from annotate.weights import Missing, load_weights, offline
from benchmarks.truth_rows import Row
from evaluate.truth.people import Label, average_precision
from manifests.figures import BODY, Poses

DATA = "COCO, labelled by people"
OPENPOSE = "OpenPose's network"
SMALL = "MobileNetV2-small of tf-openpose"
FILE = "tf-openpose-mnv2small/mnv2small.onnx"

RGB = NDArray[np.uint8]
Find = Callable[[RGB], Poses]


def score_people(folder: Path, weights: Path) -> Iterator[Row]:
    """AP of both ways, for each network that is here."""
    pictures, labels = read_labels(folder)
    data = (
        f"{DATA}, {len(pictures)} pictures, {sum(label.points[:, 2].any() for some in labels for label in some)} people"
    )
    for network, find in _networks(weights).items():
        if isinstance(find, str):
            yield Row("people", network, data, {}, find)
            continue
        for whose, way in (("ours", ours), ("controlnet_aux", _theirs)):
            found = [way(find)(picture) for picture in pictures]
            said = f"{sum(len(poses.people) for poses in found)} people found"
            yield Row("people", f"{network}, {whose}", data, average_precision(found, labels), said)


def read_labels(folder: Path) -> tuple[list[RGB], list[list[Label]]]:
    """Pictures of a folder of mmpose's test data, and who is in each."""
    said = json.loads((folder / "test_coco.json").read_text())
    by_picture: dict[int, list[Label]] = {image["id"]: [] for image in said["images"]}
    for one in said["annotations"]:
        points = np.array(one["keypoints"], np.float64).reshape(-1, 3)
        by_picture[one["image_id"]].append(Label(points, tuple(one["bbox"]), one["area"], bool(one["iscrowd"])))
    pictures = [decode((folder / image["file_name"]).read_bytes()) for image in said["images"]]
    return pictures, list(by_picture.values())


def _networks(weights: Path) -> dict[str, Any]:
    """Body networks, or why one can't run: of [1, 3, H, W] float32, OpenPose's input, to its fields and heat maps."""
    found: dict[str, Any] = {}
    try:
        with offline():
            found[OPENPOSE] = _published(load_weights("body_pose_model.pth"))
    except Missing:
        found[OPENPOSE] = "weights not here: body_pose_model.pth, 209 MB, non-commercial"
    if find_spec("onnxruntime") is None:
        found[SMALL] = "onnxruntime is not installed"
    else:
        found[SMALL] = Small(weights / FILE) if (weights / FILE).is_file() else f"not here: {weights / FILE}"
    return found


def _published(state: dict[str, torch.Tensor]) -> torch.nn.Module:
    from controlnet_aux.open_pose.model import bodypose_model
    from controlnet_aux.open_pose.util import transfer

    network = bodypose_model()
    network.load_state_dict(transfer(network, state))
    return network.eval()


class Small(torch.nn.Module):
    """A network of another make with OpenPose's outputs; it takes one picture at a time."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        super().__init__()
        self.here = torch.nn.Parameter(torch.zeros(0))  # controlnet_aux asks a network's first one for its device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, 3, H, W] float32 as OpenPose takes it, BGR, to [B, 38, h, w] fields and [B, 19, h, w] heat maps."""
        raw = (images.numpy() + 0.5) * 256
        (name,) = (given.name for given in self.session.get_inputs())
        maps = np.concatenate([self.session.run(None, {name: one[None]})[0] for one in raw])
        heat, fields = torch.from_numpy(maps).split([BODY + 1, 38], dim=1)
        return fields, heat


def ours(network: torch.nn.Module) -> Find:
    """Our own steps after a body network's maps."""
    return lambda image: Poses(image.shape[:2], tuple(find_bodies(image[None], network, torch.device("cpu"))[0]))


def _theirs(network: torch.nn.Module) -> Find:
    from controlnet_aux.open_pose.body import Body

    body = Body.__new__(Body)  # its own __init__ reads OpenPose's weights
    body.model = network

    def find(image: RGB) -> Poses:
        with torch.no_grad():
            results = Body.format_body_result(*body(np.ascontiguousarray(image[..., ::-1])))
        return Poses(image.shape[:2], tuple(_person(result.keypoints) for result in results))

    return find


def _person(points: Sequence[Any]) -> NDArray[np.float32]:
    return np.array([(point.x, point.y, point.score) if point else (0, 0, 0) for point in points], np.float32)
