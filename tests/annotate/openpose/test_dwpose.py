"""DWPose behind onnxruntime: networks of the published inputs and outputs, random, against the published decoding.

The published code (IDEA-Research/DWPose, branch onnx) is written out here picture by picture and person by person.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from annotate.annotator import Annotate
from annotate.image import decode, encode_generated, fit
from annotate.openpose.dwpose import as_openpose
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests import condition
from manifests.dataset import Dataset
from manifests.figures import BODY, HAND, WHOLE_BODY

SHARED = Path(__file__).parents[4] / "shared"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:3]
pytestmark = pytest.mark.skipif(not PHOTOS, reason="no photographs here")
CELLS = (80**2, 40**2, 20**2)
POINTS = 133
Network = Callable[[np.ndarray], list[np.ndarray]]


def save(path: Path, nodes: list[Any], tensors: dict[str, np.ndarray], ports: tuple[list, list]) -> None:
    """Write a graph of onnx; ports: its inputs and outputs as (name, shape)."""
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side] for side in ports
    )
    given = [numpy_helper.from_array(np.asarray(values), name) for name, values in tensors.items()]
    graph = helper.make_graph(nodes, "random", inputs, outputs, given)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9), path)


def save_detector(path: Path, pictures: int | str) -> None:
    """YOLOX's port: [N, 3, 640, 640] to [N, 8400, 85]; boxes of some 100 pixels, a score above 0.3 in a few cells."""
    rng = np.random.default_rng(0)
    nodes, tensors, grids = [], {"shape": np.array([0, 85, -1])}, []
    for stride in (8, 16, 32):
        weight = rng.normal(0, 0.02, (85, 3, 1, 1)).astype(np.float32)
        bias = np.zeros(85, np.float32)
        bias[2:4] = np.log(120 / stride)
        weight[:4] *= 0.1
        weight[4:6, :, 0, 0], bias[4:6] = [[0.05, -0.02, -0.05], [0.02, 0.02, -0.01]], [-0.5, 1]
        tensors |= {f"w{stride}": weight, f"b{stride}": bias}
        nodes += [
            helper.make_node("AveragePool", ["input"], [f"p{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2),
            helper.make_node("Conv", [f"p{stride}", f"w{stride}", f"b{stride}"], [f"c{stride}"]),
            helper.make_node("Reshape", [f"c{stride}", "shape"], [f"r{stride}"]),
            helper.make_node("Transpose", [f"r{stride}"], [f"t{stride}"], perm=[0, 2, 1]),
        ]
        grids.append(f"t{stride}")
    nodes += [
        helper.make_node("Concat", grids, ["all"], axis=1),
        helper.make_node("Split", ["all", "parts"], ["boxes", "logits"], axis=2),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output"], axis=2),
    ]
    tensors["parts"] = np.array([4, 81])
    save(path, nodes, tensors, ([("input", [pictures, 3, 640, 640])], [("output", [pictures, sum(CELLS), 85])]))


def save_points(path: Path) -> None:
    """DWPose's network: [N, 3, 384, 288] to rulers [N, 133, 576] and [N, 133, 768]."""
    rng = np.random.default_rng(1)
    nodes = [
        helper.make_node("AveragePool", ["input"], ["pooled"], kernel_shape=[48, 48], strides=[48, 48]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    tensors = {}
    for name, marks in (("simcc_x", 576), ("simcc_y", 768)):
        tensors |= {
            f"basis {name}": rng.normal(0, 0.3, (3 * 8 * 6, 12)).astype(np.float32),
            f"spread {name}": rng.normal(0, 0.08, (12, POINTS * marks)).astype(np.float32),
            f"shape {name}": np.array([-1, POINTS, marks]),
        }
        nodes += [
            helper.make_node("MatMul", ["flat", f"basis {name}"], [f"few {name}"]),
            helper.make_node("MatMul", [f"few {name}", f"spread {name}"], [f"many {name}"]),
            helper.make_node("Reshape", [f"many {name}", f"shape {name}"], [name]),
        ]
    outputs = [("simcc_x", ["N", POINTS, 576]), ("simcc_y", ["N", POINTS, 768])]
    save(path, nodes, tensors, ([("input", ["N", 3, 384, 288])], outputs))


@pytest.fixture(scope="module", params=["any number", 1], ids=["batches", "one by one"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both networks; the published detector takes one picture at a time, others any number."""
    place = tmp_path_factory.mktemp("weights")
    save_detector(place / "yolox_l.onnx", request.param)
    save_points(place / "dw-ll_ucoco_384.onnx")
    return place


@pytest.fixture
def network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Annotate]:
    monkeypatch.setenv(VARIABLE, str(folder))
    torch.set_num_threads(1)
    return lambda **settings: build("openpose", {"model": "dwpose"} | settings, "here").load(torch.device("cpu"))


def session(path: Path) -> Network:
    import onnxruntime

    bound = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda batch: bound.run(None, {"input": batch})


def boxes_as_published(image: np.ndarray, detect: Network) -> list[np.ndarray]:
    scale = min(640 / image.shape[0], 640 / image.shape[1])
    small = cv2.resize(
        image, (int(image.shape[1] * scale), int(image.shape[0] * scale)), interpolation=cv2.INTER_LINEAR
    )
    padded = np.full((640, 640, 3), 114, np.uint8)
    padded[: small.shape[0], : small.shape[1]] = small
    (found,) = detect(padded.transpose(2, 0, 1)[None].astype(np.float32))[0]
    candidates = []
    for place, row in enumerate(found):
        stride, cell = (8, place) if place < 6400 else (16, place - 6400) if place < 8000 else (32, place - 8000)
        score = row[4] * row[5]
        if score > 0.1:
            x, y = (row[0] + cell % (640 // stride)) * stride, (row[1] + cell // (640 // stride)) * stride
            width, height = np.exp(row[2:4]) * stride
            box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) / scale
            candidates.append((float(score), box))
    candidates.sort(key=lambda pair: pair[0], reverse=True)
    kept: list[tuple[float, np.ndarray]] = []
    for score, box in candidates:
        if all(overlap(box, other) <= 0.45 for _, other in kept):
            kept.append((score, box))
    return [box for score, box in kept if score > 0.3]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    shared = np.maximum(0, np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]) + 1).prod()
    return float(shared / ((one[2:] - one[:2] + 1).prod() + (other[2:] - other[:2] + 1).prod() - shared))


def points_as_published(image: np.ndarray, box: np.ndarray, locate: Network) -> np.ndarray:
    """133 points of one person: top_down_affine, the network, and get_simcc_maximum."""
    centre, extent = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * 1.25
    width, height = extent
    extent = np.array([width, width / 0.75] if width > height * 0.75 else [height * 0.75, height])
    half = extent[0] / 2
    source = (centre + np.array([(0, 0), (0, -half), (-half, -half)])).astype(np.float32)
    target = np.array([(144, 192), (144, 192 - 144), (144 - 144, 192 - 144)], np.float32)
    cut = cv2.warpAffine(image, cv2.getAffineTransform(source, target), (288, 384), flags=cv2.INTER_LINEAR)
    pixels = (cut - np.array([123.675, 116.28, 103.53])) / np.array([58.395, 57.12, 57.375])
    along, down = locate(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    place = np.stack([along[0].argmax(1), down[0].argmax(1)], axis=1) / 2
    score = np.minimum(along[0].max(1), down[0].max(1))
    return np.column_stack([place / (288, 384) * extent + centre - extent / 2, score])


def test_people_are_those_of_the_published_decoding(network: Callable[..., Annotate], folder: Path) -> None:
    """The same persons in the same order; points within a hundredth of a pixel but where two marks are as likely."""
    annotate = network(hands=True, face=True)
    detect, locate = session(folder / "yolox_l.onnx"), session(folder / "dw-ll_ucoco_384.onnx")
    pictures = [fit(decode(path.read_bytes()), 160) for path in PHOTOS]
    width = min(picture.shape[1] for picture in pictures)
    batch = np.stack([picture[:160, :width] for picture in pictures])
    persons = []
    for found, image in zip(annotate(batch, [{}] * len(batch)), batch, strict=True):
        expected = [as_openpose(points_as_published(image, box, locate)) for box in boxes_as_published(image, detect)]
        assert len(found.people) == len(expected)
        persons += list(zip(found.people, expected, strict=True))
    assert len(persons) >= 4
    off = np.array([np.abs(ours - theirs)[:, :2].max(1) for ours, theirs in persons])
    assert (off < 0.01).mean() > 0.99
    assert np.mean([(ours[:, 2] > 0) == (theirs[:, 2] > 0) for ours, theirs in persons]) > 0.99


def test_coco_whole_body_becomes_openposes_order() -> None:
    """As wholebody.py: the neck between the shoulders, left hand before right, no feet; pupils are unknown."""
    points = np.column_stack([np.arange(POINTS), np.arange(POINTS) * 2, np.full(POINTS, 0.5)]).astype(np.float32)
    person = as_openpose(points)
    assert person[:BODY, 0].tolist() == [0, 5.5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    assert person[BODY : BODY + HAND, 0].tolist() == list(range(91, 112))
    assert person[BODY + HAND : BODY + 2 * HAND, 0].tolist() == list(range(112, 133))
    assert person[BODY + 2 * HAND :, 0].tolist() == [*range(23, 91), 0, 0]
    assert not person[-2:].any()
    points[5, 2] = 0.2  # a shoulder unseen: no neck
    assert not as_openpose(points)[[1, 5]].any()


@pytest.mark.parametrize(
    ("settings", "points"), [({}, BODY), ({"hands": True}, WHOLE_BODY), ({"face": True}, WHOLE_BODY)]
)
def test_what_is_not_wanted_is_left_out(
    network: Callable[..., Annotate], settings: dict[str, bool], points: int
) -> None:
    picture = fit(decode(PHOTOS[0].read_bytes()), 160)
    (found,) = network(**settings)(picture[None], [{}])
    assert found.people
    for person in found.people:
        assert person.shape == (points, 3)
        assert "hands" in settings or not person[BODY : BODY + 2 * HAND].any()
        assert "face" in settings or not person[BODY + 2 * HAND :].any()


def test_a_shard_of_people_is_written_with_its_stats(
    network: Callable[..., Annotate], tmp_path: Path, ingest: Callable[..., Dataset], rows: Callable[..., list]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for path in PHOTOS:
        shutil.copy(path, corpus)
        (corpus / path.name).with_suffix(".txt").write_text("somebody")
    (corpus / "night.png").write_bytes(encode_generated(np.zeros((90, 120, 3), np.uint8)))
    (corpus / "night.txt").write_text("nobody")
    dataset = ingest(corpus)
    tasks = make_tasks(dataset, ["openpose"], resolution=128, settings=["openpose.model=dwpose", "openpose.face=true"])
    (shard,) = dataset.shards()
    annotate_shard(dataset, shard, bind(tasks, torch.device("cpu")), batch_size=2, threads=1, done=lambda _: None)
    found = rows(dataset, "openpose")
    assert {row["status"] for row in found} == {"ok", "empty"}
    for row in found:
        people = condition.decode("keypoints", row["condition"]).people
        assert row["stats"]["persons"] == len(people)
        assert row["stats"]["keypoints"] == sum(int((person[:, 2] > 0).sum()) for person in people)
        assert (row["stats"]["largest_person"] > 0) == bool(people) == (row["status"] == "ok")


def test_where_the_detector_sees_nobody_there_is_nobody(network: Callable[..., Annotate]) -> None:
    (found,) = network()(np.full((1, 48, 64, 3), 0, np.uint8), [{}])
    assert found.people == ()


def test_a_file_that_is_no_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("yolox_l.onnx", "dw-ll_ucoco_384.onnx"):
        (tmp_path / name).write_bytes(b"not a network")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match="Put the published file there"):
        build("openpose", {"model": "dwpose"}, "here").load(torch.device("cpu"))
