"""The tiny detectors that lie in the repository load as any others do, and see what is in pictures new to them."""

import numpy as np
import pytest
import torch
from controlnet_aux.open_pose.body import Body
from transformers import AutoImageProcessor, AutoModelForDepthEstimation, AutoModelForSemanticSegmentation

from annotate.corpora import playroom
from annotate.openpose.body import find_bodies
from annotate.tiny import depth, pose, segmentation
from annotate.tiny.augment import mirror
from annotate.tiny.card import FOLDERS, find, megabytes, unrelated
from annotate.tiny.data import Pictures
from annotate.tiny.judge import judge_depth, judge_segmentation
from annotate.tiny.judge_pose import People, judge_people, true_people
from annotate.tiny.pose_network import TinyPose, load_network
from manifests.body import JOINTS

SEED = 77  # neither of those that the detectors learned from, nor of those that their card is measured on
ROWS = 40


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    drawn = [playroom.record(SEED, row) for row in range(ROWS)]
    people = np.zeros((ROWS, 3, 18, 3), np.float32)
    for row, record in enumerate(drawn):
        for number, person in enumerate(record.truth["truth_openpose"].condition.people):
            people[row, number] = person
    depths, classes = (
        np.stack([np.asarray(record.truth[name].condition) for record in drawn])
        for name in ("truth_depth", "truth_segmentation")
    )
    return Pictures(np.stack([record.image for record in drawn]), depths, classes, people)


class Oracle(TinyPose):
    """Gives the maps that a body network is trained towards, of one picture."""

    def __init__(self, people: np.ndarray) -> None:
        super().__init__()
        self.people = torch.from_numpy(people)[None]

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        heat, fields, _ = pose.targets(self.people)
        return fields, torch.cat([heat, 1 - heat.amax(dim=1, keepdim=True)], dim=1)


def test_they_are_small_and_have_a_card() -> None:
    assert sum(megabytes(folder) for folder in FOLDERS.values()) <= 10
    assert (depth.FOLDER.parent / "README.md").read_text().startswith("---\nlicense: apache-2.0")


def test_transformers_loads_them_as_any_other_weights() -> None:
    assert AutoModelForDepthEstimation.from_pretrained(depth.FOLDER).config.model_type == "dpt"
    network = AutoModelForSemanticSegmentation.from_pretrained(segmentation.FOLDER)
    assert tuple(network.config.id2label[number] for number in range(6)) == playroom.CLASSES
    for folder in (depth.FOLDER, segmentation.FOLDER):
        picture = np.zeros((128, 128, 3), np.uint8)
        pixels = AutoImageProcessor.from_pretrained(folder)(images=picture, return_tensors="pt").pixel_values
        assert pixels.shape == (1, 3, 128, 128)
        assert float(pixels.min()) == float(pixels.max()) == -1


def test_depth_is_seen(pictures: Pictures) -> None:
    accuracy = judge_depth(np.stack(find("depth", pictures.images)), pictures.depth)
    flat = judge_depth(np.full_like(pictures.depth, pictures.depth.mean()), pictures.depth)
    assert accuracy.rmse < 0.3 * flat.rmse
    assert accuracy.rmse < 0.5 * unrelated(pictures).depth.rmse
    assert accuracy.delta1 > 0.97


def test_classes_are_seen(pictures: Pictures) -> None:
    accuracy = judge_segmentation(np.stack(find("segmentation", pictures.images)), pictures.classes)
    assert accuracy.mean_iou > 0.7
    assert accuracy.mean_iou > 2 * unrelated(pictures).segmentation.mean_iou


def test_people_are_found(pictures: Pictures) -> None:
    true = true_people(pictures.people)
    accuracy = judge_people([list(poses.people) for poses in find("openpose", pictures.images)], true)
    assert accuracy.people >= 10
    assert accuracy.found_people >= 0.7 * accuracy.people
    assert accuracy.false_people <= 0.3 * accuracy.people
    assert accuracy.joints_in_place > 0.6


def test_the_maps_that_the_body_network_learns_are_what_the_annotator_reads(pictures: Pictures) -> None:
    true = true_people(pictures.people)
    read: list[People] = []
    for image, people in zip(pictures.images, pictures.people, strict=True):
        read += find_bodies(image[None], Oracle(people), torch.device("cpu"))
    accuracy = judge_people(read, true)
    assert accuracy.found_people >= 0.95 * accuracy.people
    assert accuracy.joints_in_place > 0.95


def test_the_body_network_has_openpose_s_shapes_at_any_size() -> None:
    paf, heat = load_network()(torch.zeros(2, 3, 184, 248))
    assert paf.shape == (2, 38, 23, 31)
    assert heat.shape == (2, 19, 23, 31)
    assert torch.equal(heat[:, 18], 1 - heat[:, :18].amax(dim=1))


def test_pictures_are_enlarged_as_controlnet_aux_does(pictures: Pictures) -> None:
    class Recorder(TinyPose):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            self.seen = images
            return super().forward(images)

    body = Body.__new__(Body)
    body.model = Recorder().eval()
    body(np.ascontiguousarray(pictures.images[0][..., ::-1]))
    assert torch.equal(body.model.seen, pose.enlarge(pictures.images[:1]))


def test_a_mirrored_picture_has_its_left_joints_where_the_right_ones_were(pictures: Pictures) -> None:
    turned = mirror(pictures)
    left, right = JOINTS.index("left_wrist"), JOINTS.index("right_wrist")
    seen = pictures.people[:, :, right, 2] > 0
    assert seen.any()
    assert np.array_equal(turned.people[:, :, left, 0][seen], 127 - pictures.people[:, :, right, 0][seen])
    again = mirror(turned)
    assert np.allclose(again.people, pictures.people, atol=1e-4)
    assert np.array_equal(again.images, pictures.images)
