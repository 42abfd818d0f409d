"""The openpose family: its settings, weights and licences, what it measures, and a shard of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux.open_pose.body import Body

from annotate.corpora import playroom
from annotate.openpose.annotator import OpenPose
from annotate.openpose.body import find_bodies
from annotate.published import WEIGHTS
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.tiny.pose_network import load_network
from manifests import condition
from manifests.dataset import Dataset
from manifests.figures import BODY, Poses

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("settings", "files"),
    [
        ({}, ["body_pose_model.pth"]),
        ({"hands": True}, ["body_pose_model.pth", "hand_pose_model.pth"]),
        ({"hands": True, "face": True}, ["body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"]),
        ({"model": "dwpose", "hands": True}, ["yolox_l.onnx", "dw-ll_ucoco_384.onnx"]),
        ({"model": "tiny"}, ["tiny/openpose"]),
    ],
)
def test_only_the_weights_that_are_used_are_asked_for(settings: dict[str, object], files: list[str]) -> None:
    assert list(build("openpose", settings, "here").weights) == files


def test_openposes_own_weights_are_non_commercial_and_dwposes_are_not() -> None:
    assert {WEIGHTS[file].licence for file in OpenPose(hands=True, face=True).weights} == {
        "CMU OpenPose: non-commercial"
    }
    assert {WEIGHTS[file].licence for file in OpenPose(model="dwpose").weights} == {"Apache-2.0"}


@pytest.mark.parametrize("settings", [{"model": "tiny", "hands": True}, {"model": "tiny", "face": True}])
def test_hands_are_not_asked_of_a_network_of_bodies(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="bodies only"):
        build("openpose", settings, "here")


def test_an_unknown_model_is_refused_with_the_choice() -> None:
    with pytest.raises(ValueError, match="'openpose', 'tiny' or 'dwpose'"):
        build("openpose", {"model": "mediapipe"}, "here")


def test_stats_are_those_counted_by_hand() -> None:
    one, other = np.zeros((2, BODY, 3), np.float32)
    one[:4] = (10, 20, 0.5), (30, 20, 0.5), (10, 60, 0.9), (20, 30, 1)  # 20 by 40 pixels
    other[5:9] = (0, 0, 0.5), (4, 0, 0.5), (0, 5, 0.5), (4, 5, 0.5)
    annotator = OpenPose()
    stats = annotator.measure(Poses((100, 200), (other, one)))
    assert stats == {"persons": 2, "keypoints": 8, "largest_person": pytest.approx(20 * 40 / (100 * 200))}
    assert stats.keys() == annotator.stats.keys()
    assert not annotator.empty(Poses((100, 200), (one,)))


def test_a_picture_without_people_is_empty() -> None:
    nobody = Poses((100, 200), ())
    assert OpenPose().empty(nobody)
    assert OpenPose().measure(nobody) == {"persons": 0, "keypoints": 0, "largest_person": 0}


def test_nothing_slow_is_imported_before_a_network_is_loaded() -> None:
    """controlnet_aux takes seconds, and reads scipy.ndimage.filters, which SciPy 2 will not have; ours does not."""
    unwanted = "{'controlnet_aux', 'onnxruntime'}"
    program = f"import sys, annotate.registry; sys.exit(' '.join({unwanted} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stderr.strip() == ""


def test_the_tiny_network_finds_the_people_controlnet_aux_finds_with_it() -> None:
    torch.set_num_threads(1)
    network, device = load_network(), torch.device("cpu")
    images = np.stack([playroom.record(5, row).image for row in range(12)])
    detector = Body.__new__(Body)
    detector.model = network
    total = 0
    for ours, image in zip(find_bodies(images, network, device), images, strict=True):
        theirs = Body.format_body_result(*detector(np.ascontiguousarray(image[..., ::-1])))
        assert len(ours) == len(theirs)
        total += len(ours)
        for one, other in zip(ours, theirs, strict=True):
            points = np.array([(point.x, point.y) if point else (0, 0) for point in other.keypoints])
            assert np.array_equal(one[:, :2], points)
    assert total


def test_a_shard_of_the_playroom_holds_people_and_empty_rooms(
    ingest: Callable[..., Dataset], rows: Callable[..., list]
) -> None:
    torch.set_num_threads(1)
    dataset = ingest("playroom:16")
    (name,) = dataset.shards()
    tasks = make_tasks(dataset, ["openpose"], resolution=128, settings=["openpose.model=tiny"])
    annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=5, threads=1, done=lambda _: None)
    found = rows(dataset, "openpose")
    assert {row["status"] for row in found} == {"ok", "empty"}
    for row in found:
        people = condition.decode("keypoints", row["condition"]).people
        assert row["stats"]["persons"] == len(people)
        assert (row["status"] == "empty") == (not people)
