"""Bodies are those of controlnet_aux's `Body`: the same people, every joint in the same pixel."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from controlnet_aux.open_pose.body import Body  # imports the deprecated scipy.ndimage.filters; ours does not
from controlnet_aux.open_pose.model import bodypose_model
from torch import Tensor, nn

from annotate.image import decode, fit
from annotate.openpose.body import LONGEST, find_bodies, load_body
from annotate.openpose.limbs import LIMBS
from annotate.openpose.resizing import enlargement, network_input, resized
from annotate.weights import VARIABLE
from manifests.figures import Poses
from manifests.geometry import FLIPPED, flip
from tests.annotate.openpose.planted import STANDING, Planted, enlivened, people, plant
from train.hints import hint

CPU = torch.device("cpu")
SHARED = Path(__file__).parents[4] / "shared"
REAL = SHARED / "weights/tf-openpose-mnv2small/mnv2small.onnx"
PHOTOS = [
    *(SHARED / "data/people" / name for name in ("apink2.jpg", "handsup1.jpg", "ski.jpg")),
    *sorted((SHARED / "data/mmpose-testdata/tests/data/coco").glob("*.jpg")),
]
SIZES = [(512, 683), (128, 96), (96, 640), (16, 16), (184, 240), (300, 150)]
Pose = np.ndarray  # [18, 3]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def theirs(image: np.ndarray, network: nn.Module) -> list[Pose]:
    """People of one picture [H, W, 3] uint8 RGB as controlnet_aux finds them with `network`."""
    detector = Body.__new__(Body)
    detector.model = network
    found = Body.format_body_result(*detector(np.ascontiguousarray(image[..., ::-1])))
    return [
        np.array([(point.x, point.y, point.score) if point else (0, 0, 0) for point in body.keypoints])
        for body in found
    ]


def assert_same(ours: list[Pose], others: list[Pose], *, score: float = 1e-6) -> None:
    """The same people in the same order, joints in the same pixel, scores to within `score`."""
    assert len(ours) == len(others)
    for one, other in zip(ours, others, strict=True):
        assert np.array_equal(one[:, :2], other[:, :2])
        assert one[:, 2] == pytest.approx(other[:, 2].clip(max=1), abs=score)


def cells_of(size: tuple[int, int]) -> tuple[int, int]:
    return 23, -(-max(1, int(size[1] * (184 / size[0]))) // 8)


@pytest.mark.parametrize("size", SIZES)
def test_planted_people_are_found_as_controlnet_aux_finds_them(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(size[0])
    maps = torch.stack([plant(people(rng, count, cells_of(size)), cells_of(size), rng) for count in (0, 1, 3, 6)])
    images = np.zeros((4, *size, 3), np.uint8)
    ours = find_bodies(images, Planted(maps), CPU)
    assert not ours[0]
    for found, image, planted in zip(ours, images, maps, strict=True):
        assert_same(found, theirs(image, Planted(planted[None])))
    if size != (16, 16):
        assert len(ours[1]) == 1


def test_a_throng_is_taken_apart_as_controlnet_aux_does() -> None:
    rng = np.random.default_rng(1)
    size = (184, 480)
    maps = plant(people(rng, 24, cells_of(size), height=0.5), cells_of(size), rng, sigma=0.7)[None]
    (ours,) = find_bodies(np.zeros((1, *size, 3), np.uint8), Planted(maps), CPU)
    assert len(ours) > 8
    assert_same(ours, theirs(np.zeros((*size, 3), np.uint8), Planted(maps)))


def test_two_hundred_people_are_all_found() -> None:
    """Seen once: controlnet_aux finds the very same ones, in 43 s of one core; ours takes 2.4 s."""
    rng = np.random.default_rng(2)
    size = (368, 5_200)
    corners = [(column * 4.8 + 2.4, row * 7.6 + 0.3) for row in range(3) for column in range(67)][:200]
    figures = [STANDING * 7 + corner + rng.normal(0, 0.05, (18, 2)) for corner in corners]
    maps = plant(figures, cells_of(size), rng, sigma=0.5)[None]
    (ours,) = find_bodies(np.zeros((1, *size, 3), np.uint8), Planted(maps), CPU)
    assert len(ours) == 200
    necks = np.array([person[1, :2] for person in ours])
    for figure in figures:
        assert np.hypot(*(necks - (figure[1] + 0.5) * 16).T).min() < 8


def test_blank_maps_hold_nobody() -> None:
    assert find_bodies(np.zeros((2, 64, 64, 3), np.uint8), Planted(torch.zeros(2, 57, 23, 23)), CPU) == [[], []]


def test_maps_that_are_all_peak_are_refused_and_not_paired_for_ever() -> None:
    flat = torch.full((1, 57, 23, 23), 0.5)
    flat += 0.1 * torch.cos(torch.arange(23) * torch.pi)[:, None] * torch.cos(torch.arange(23) * torch.pi)
    noise = torch.nn.functional.interpolate(torch.rand(1, 57, 4, 4, generator=torch.manual_seed(0)), (23, 400))
    checked = flat.repeat(1, 1, 1, 18)[..., :400] + noise
    with pytest.raises(ValueError, match="peaks of one part"):
        find_bodies(np.zeros((1, 184, 3_200, 3), np.uint8), Planted(checked), CPU)


class Stripe(nn.Module):
    """A network of one convolution."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.only = nn.Conv2d(3, 57, 8, stride=8)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.only(images)
        return maps[:, :38], maps[:, 38:]


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (2_000, 10), (64, 2_000), (184, 8)])
def test_small_and_long_pictures_have_maps_too(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    (found,) = find_bodies(image, Stripe(), CPU)
    for person in found:
        assert np.isfinite(person).all()


def test_a_picture_too_long_to_be_looked_at_is_a_failure_with_a_reason() -> None:
    with pytest.raises(ValueError, match="too long for OpenPose"):
        find_bodies(np.zeros((1, 10, 20_000, 3), np.uint8), Stripe(), CPU)
    assert LONGEST == 8_192


@pytest.mark.parametrize(
    ("size", "seen"), [((512, 683), (184, 245)), ((100, 77), (184, 141)), ((184, 240), (184, 240))]
)
def test_maps_are_enlarged_by_the_taps_of_opencv(size: tuple[int, int], seen: tuple[int, int]) -> None:
    """Two resizes and a cut as in body.py, against one matrix for the rows and one for the columns."""
    cells = 23, -(-seen[1] // 8)
    heat = np.random.default_rng(0).normal(size=cells).astype(np.float32)
    way = cv2.INTER_AREA if sum(size) < sum(seen) else cv2.INTER_LANCZOS4
    fine = cv2.resize(heat, (cells[1] * 8, 184), interpolation=cv2.INTER_LANCZOS4)[:184, : seen[1]]
    expected = cv2.resize(np.ascontiguousarray(fine), size[::-1], interpolation=way)
    down, across = (enlargement(*axis, way) for axis in zip(cells, seen, size, strict=True))
    assert np.abs(down @ heat @ across.T - expected).max() < 2e-6


class Real(nn.Module):
    """tf-pose-estimation's network, one picture at a time; its faint maps doubled, so that more people are found."""

    def __init__(self) -> None:
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(REAL, options, providers=["CPUExecutionProvider"])
        self.device = nn.Parameter(torch.zeros(()))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        height, width = images.shape[2:]
        whole = nn.functional.pad(images, (0, -width % 16, 0, -height % 16))
        found = [self.session.run(None, {"image:0": ((one + 0.5) * 256).numpy()})[0] for one in whole.split(1)]
        maps = 2 * torch.from_numpy(np.concatenate(found))[:, :, : height // 8, : width // 8]
        return maps[:, 19:], maps[:, :19]


real = pytest.mark.skipif(not REAL.exists() or not all(map(Path.exists, PHOTOS)), reason="no network or pictures here")


@real
def test_real_people_are_found_as_controlnet_aux_finds_them() -> None:
    network = Real()
    images = [fit(decode(path.read_bytes()), 256) for path in PHOTOS]
    found = [find_bodies(image[None], network, CPU)[0] for image in images]
    assert sum(map(len, found)) >= 8
    for image, ours in zip(images, found, strict=True):
        assert_same(ours, theirs(image, network))


@real
def test_a_batch_gives_what_single_pictures_give() -> None:
    network = Real()
    images = np.stack([fit(decode(path.read_bytes()), 256)[:256, :256] for path in PHOTOS])
    for together, image in zip(find_bodies(images, network, CPU), images, strict=True):
        assert_same(together, find_bodies(image[None], network, CPU)[0])


@real
@pytest.mark.parametrize("grey", [False, True])
def test_a_flipped_picture_gives_the_flipped_people(grey: bool) -> None:
    """With a network that has no side: joints to a pixel, hints but for the edges of limbs (drawn by whole pixels)."""
    image = fit(decode(PHOTOS[3].read_bytes()), 368)[:, 20:500]
    if grey:
        image = np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    straight, mirrored = (
        Poses((368, 480), tuple(people))
        for people in find_bodies(np.stack([image, image[:, ::-1]]), Sideless(Real()), CPU)
    )
    assert straight.people
    expected = flip("keypoints", straight)
    for one, other in zip(mirrored.people, expected.people, strict=True):
        assert np.abs(one[:, :2] - other[:, :2]).max() <= 1
        assert np.abs(one[:, 2] - other[:, 2]).max() < 1e-5
    drawn, wanted = hint("keypoints", mirrored) > 0, hint("keypoints", expected) > 0
    assert (drawn & wanted).sum() / (drawn | wanted).sum() > 0.9


class Sideless(nn.Module):
    """The mean of what a network says of a picture and, turned back, of its mirror image."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        (fields, heat), (back_fields, back_heat) = self.network(images), self.network(images.flip(3))
        ends = [limb[:2] for limb in LIMBS]
        turned = torch.zeros_like(fields)
        for start, end, across, down in LIMBS:
            other = LIMBS[ends.index((FLIPPED[start], FLIPPED[end]))]
            turned[:, across] = -back_fields[:, other[2]].flip(2)
            turned[:, down] = back_fields[:, other[3]].flip(2)
        parts = [*FLIPPED[:18], 18]
        return (fields + turned) / 2, (heat + back_heat[:, parts].flip(3)) / 2


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights at true size under published names, such that some cells are joints and limbs go down."""
    network = enlivened(bodypose_model())
    heat, fields = network.model6_2.Mconv7_stage6_L2, network.model6_1.Mconv7_stage6_L1
    said: list[Tensor] = []
    heat.register_forward_hook(lambda *given: said.append(given[2].clone()))
    fields.register_forward_hook(lambda *given: said.append(given[2].clone()))
    with torch.inference_mode():
        network(network_input([resized(PICTURE, (184, 184))], CPU))
    for layer, answer in ((fields, said[0]), (heat, said[1])):
        each = answer[0].flatten(1)
        low, high = each.quantile(0.98, dim=1), each.amax(1)
        scale = 0.8 / (high - low) if layer is heat else 0.1 / each.std(1)
        layer.weight.data *= scale[:, None, None, None]
        layer.bias.data = -low * scale if layer is heat else torch.tensor([0.1, 0.9]).repeat(19)
    folder = tmp_path_factory.mktemp("weights")
    state = {name.split(".", 1)[1]: values for name, values in network.state_dict().items()}
    torch.save(state, folder / "body_pose_model.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


PICTURE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)


def test_the_published_network_at_its_true_size_finds_the_same_people(weights: Path) -> None:
    detector = Body(str(weights / "body_pose_model.pth"))
    (ours,) = find_bodies(PICTURE[None], load_body(CPU), CPU)
    assert ours
    assert_same(ours, theirs(PICTURE, detector.model), score=1e-4)  # random weights magnify the rounding


@pytest.mark.parametrize("harm", ["cut off", "of another network"])
def test_weights_that_are_not_the_networks_are_refused_in_one_sentence(
    harm: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "body_pose_model.pth"
    if harm == "cut off":
        bad.write_bytes((weights / bad.name).read_bytes()[:5_000_000])
    else:
        torch.save({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, bad)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match="Put the published file there"):
        load_body(CPU)
