"""Hands and faces are those of controlnet_aux: the same boxes, and from the same maps the same points."""

from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux.open_pose import OpenposeDetector, util
from controlnet_aux.open_pose.body import BodyResult, Keypoint
from controlnet_aux.open_pose.face import Face, FaceNet
from controlnet_aux.open_pose.hand import Hand
from controlnet_aux.open_pose.model import handpose_model
from torch import Tensor, nn

from annotate.openpose.boxes import LEFT, RIGHT, face_box, hand_box
from annotate.openpose.extremities import Extremities, with_extremities
from annotate.openpose.face import find_faces, load_face
from annotate.openpose.hands import find_hands, load_hand
from annotate.openpose.resizing import network_input
from annotate.weights import VARIABLE
from manifests.figures import BODY, FACE, HAND, WHOLE_BODY
from tests.annotate.openpose.planted import enlivened

CPU = torch.device("cpu")
SIZE = (300, 400)
rng = np.random.default_rng(0)


def bodies(count: int) -> list[np.ndarray]:
    """People with limbs of all lengths, near the borders and beyond, a tenth of their joints missing."""
    drawn = []
    for _ in range(count):
        body = np.zeros((BODY, 3), np.float32)
        body[:, :2] = rng.integers((0, 0), SIZE[::-1], 2) + rng.normal(0, rng.uniform(5, 80), (BODY, 2))
        body[:, :2] = body[:, :2].clip(0, (SIZE[1] - 1, SIZE[0] - 1)).round()
        body[:, 2] = rng.random(BODY) > 0.1
        drawn.append(body * body[:, 2:])
    return drawn


def as_theirs(body: np.ndarray) -> BodyResult:
    return BodyResult([Keypoint(*point) if point[2] else None for point in body.astype(float)], 0, 0)


def test_hands_and_faces_are_looked_for_where_controlnet_aux_looks() -> None:
    picture = np.zeros((*SIZE, 3), np.uint8)
    found = 0
    for body in bodies(300):
        hands = {left: (x, y, side) for x, y, side, left in util.handDetect(as_theirs(body), picture)}
        assert hand_box(body, LEFT, SIZE) == hands.get(True)
        assert hand_box(body, RIGHT, SIZE) == hands.get(False)
        assert face_box(body, SIZE) == util.faceDetect(as_theirs(body), picture)
        found += len(hands)
    assert found > 100


def blobs(channels: int, side: int, seed: int) -> Tensor:
    """Heat maps [C, side, side] with some bumps each, of which the first channels have none."""
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    maps = np.zeros((channels, side, side), np.float32)
    for channel in range(2, channels):
        for centre_x, centre_y, width, height in draws.uniform((0, 0, 0.03, 0.1), (1, 1, 0.12, 0.9), (3, 4)):
            bump = height * np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * width**2))
            maps[channel] = np.maximum(maps[channel], bump)
    return torch.from_numpy(maps + draws.normal(0, 0.003, maps.shape).astype(np.float32))


class PlantedHand(nn.Module):
    """Gives hand after hand the maps of a seed of its own, at whatever size it is asked; wants each size in turn."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.device = nn.Parameter(torch.zeros(()))
        self.first = first
        self.shown: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(images)
        side = images.shape[2] // 8
        return torch.stack([blobs(22, side, self.first + place) for place in range(len(images))])


class PlantedFace(PlantedHand):
    def forward(self, images: Tensor) -> list[Tensor]:
        self.shown.append(images)
        maps = torch.stack([blobs(71, 48, self.first + place) for place in range(len(images))])
        maps[:, 2:] += 0.06 * (1 - torch.linspace(0, 1, 48))  # every point but the first two is found
        return [torch.zeros(1), maps]


def hand_of_theirs(seed: int) -> Hand:
    detector = Hand.__new__(Hand)
    detector.model = PlantedHand(seed)
    return detector


def face_of_theirs(seed: int) -> Face:
    detector = Face.__new__(Face)
    detector.model = PlantedFace(seed)
    return detector


def squares(*sides: int) -> list[np.ndarray]:
    return [rng.integers(0, 256, (side, side, 3), np.uint8) for side in sides]


def test_hands_have_the_points_of_controlnet_aux() -> None:
    """All of them in the same pixel; one in the first row or column is none, as its drawing has it."""
    crops = squares(20, 61, 128, 300)
    network = PlantedHand(10)
    ours = find_hands(crops, network, CPU)
    for place, crop in enumerate(crops):
        detector = hand_of_theirs(10 + place)
        theirs = detector(crop)
        for one, other in zip(network.shown, detector.model.shown, strict=True):
            assert torch.equal(one[place], other[0])
        there = (theirs > 0).all(1)
        assert there.sum() >= 15
        assert not ours[place, :2].any()
        assert np.array_equal(ours[place, :, 2] > 0, there)
        assert np.array_equal(ours[place, there, :2], theirs[there])


def test_faces_have_the_points_of_controlnet_aux_each_in_its_place() -> None:
    """Theirs skips the two that are missing, so that its first is our third, and has the background's as its last."""
    crops = [*squares(20, 97, 250), rng.integers(0, 256, (60, 90, 3), np.uint8)]  # the last sticks out of its picture
    network = PlantedFace(20)
    ours = find_faces(crops, network, CPU)
    for place, crop in enumerate(crops):
        detector = face_of_theirs(20 + place)
        theirs = detector.compute_peaks_from_heatmaps(detector(crop))
        assert torch.equal(network.shown[0][place], detector.model.shown[0][0])
        assert len(theirs) == FACE - 2 + 1
        assert not ours[place, :2].any()
        found = ours[place, 2:, 2] > 0
        assert np.array_equal(found, (theirs[:-1] > 0).all(1))
        assert np.array_equal(ours[place, 2:][found, :2], theirs[:-1][found])


def test_no_hands_and_no_faces_are_asked_for_nothing() -> None:
    assert find_hands([], PlantedHand(0), CPU).shape == (0, HAND, 3)
    assert find_faces([], PlantedFace(0), CPU).shape == (0, FACE, 3)


def test_whole_people_are_those_of_controlnet_aux() -> None:
    """Body after body through its detector; points to the pixel, given as a share of the size and rounded by it."""
    picture, (body,) = rng.integers(0, 256, (*SIZE, 3), np.uint8), bodies(1)
    body[:, :2] = np.linspace((100, 80), (260, 250), BODY).round()
    body[:, 2] = 1
    networks = Extremities(PlantedHand(30), PlantedFace(40))
    (ours,), nobody = with_extremities(np.stack([picture, picture]), [[body], []], networks, CPU)
    assert not nobody
    detector = OpenposeDetector(None, hand_of_theirs(30), face_of_theirs(40))
    left, _ = detector.detect_hands(as_theirs(body), picture[..., ::-1])
    detector = OpenposeDetector(None, hand_of_theirs(31), face_of_theirs(40))
    _, right = detector.detect_hands(as_theirs(body), picture[..., ::-1])
    face = detector.detect_face(as_theirs(body), picture[..., ::-1])
    assert ours.shape == (WHOLE_BODY, 3)
    assert np.array_equal(ours[:BODY], body)
    for first, points in ((BODY, left), (BODY + HAND, right), (BODY + 2 * HAND + 2, face[:-1])):
        theirs = np.array([(point.x * SIZE[1], point.y * SIZE[0]) for point in points])
        there = (theirs > 0.5).all(1)
        mine = ours[first : first + len(theirs)]
        assert np.array_equal(mine[:, 2] > 0, there)
        assert np.abs(mine[there, :2] - theirs[there]).max() < 1e-3


@pytest.mark.parametrize("what", ["hand", "face"])
def test_the_network_is_controlnet_auxs_under_its_published_names(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At true size, random, over a small square: a hand's whole way takes four forwards of up to 736 pixels."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    network = enlivened(handpose_model() if what == "hand" else FaceNet())
    file = tmp_path / ("hand_pose_model.pth" if what == "hand" else "facenet.pth")
    names = (name.split(".", 1)[1] if what == "hand" else name for name in network.state_dict())
    torch.save(dict(zip(names, network.state_dict().values(), strict=True)), file)
    theirs = (Hand if what == "hand" else Face)(str(file)).model
    ours = (load_hand if what == "hand" else load_face)(CPU)
    square = network_input(squares(64), CPU)
    with torch.inference_mode():
        one, other = (model(square) if what == "hand" else model(square)[-1] for model in (ours, theirs))
    assert other.std() > 0.1
    assert (one - other).abs().max() < 1e-4 * other.abs().max()
