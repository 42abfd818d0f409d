"""M-LSD's lines are controlnet_aux's, in batches.

The published weights are not everybody's, so the network is untrained: of the true architecture, its batch norms set by
photographs, its last layer scaled so that lines come in every number from none to 200.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux import MLSDdetector
from controlnet_aux.mlsd.models.mbv2_mlsd_large import MobileV2_MLSD_Large
from controlnet_aux.mlsd.utils import pred_lines
from torch import Tensor, nn

from annotate.annotator import Annotate
from annotate.image import decode, encode_generated, fit
from annotate.mlsd import MOST, WEIGHTS, decode_lines
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests import condition, geometry
from manifests.dataset import Dataset
from manifests.figures import Segments
from train.hints import hint

SHARED = Path(__file__).parents[3] / "shared"
PHOTOS = [SHARED / f"data/photos/{name}.jpg" for name in ("n01443537", "n01484850", "n01491361")]
SIZE = 128  # pixels: the network is slow on a CPU
MAPS = slice(7, 12)  # of the network's 16 channels: the centre of a line, and the way to its ends
pytestmark = pytest.mark.skipif(not all(path.exists() for path in PHOTOS), reason="no photographs here")


def pictures(profile: str = "aux") -> list[np.ndarray]:
    return [fit(decode(path.read_bytes()), SIZE, profile) for path in PHOTOS]  # type: ignore[arg-type]


def as_fed(image: np.ndarray) -> Tensor:
    ones = np.ones((*image.shape[:2], 1))
    return torch.from_numpy(np.concatenate([image, ones], 2).transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)


@torch.no_grad()
def untrained() -> dict[str, Tensor]:
    """Weights that find lines everywhere, about twelve cells long each way, more in some pictures than in others."""
    torch.manual_seed(0)
    network = MobileV2_MLSD_Large()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all that it is shown
    network.train()
    for image in pictures():
        network(as_fed(image))
    network.eval()
    maps = torch.cat([network(as_fed(image)).flatten(2) for image in pictures()], dim=2)[0, : MAPS.stop - MAPS.start]
    mean, spread = torch.tensor([-4.0, 0, 0, 0, 0]), torch.tensor([1.5, 12, 12, 12, 12])
    factor = spread / maps.std(1)
    last = network.block23.conv3
    last.weight[MAPS] *= factor[:, None, None, None]
    last.bias[MAPS] = (last.bias[MAPS] - maps.mean(1)) * factor + mean
    return network.state_dict()


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.save(untrained(), folder / WEIGHTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module")
def theirs(weights: Path) -> MLSDdetector:
    return MLSDdetector.from_pretrained(str(weights))


@pytest.fixture(scope="module")
def ours(weights: Path) -> Annotate:
    return load()


def load(**settings: float) -> Annotate:
    return build("mlsd", settings, "mlsd").load(torch.device("cpu"))


def drawn(segments: Segments) -> np.ndarray:
    return hint("lines", segments)[0].numpy().astype(np.uint8) * 255


def detect(detector: MLSDdetector, image: np.ndarray, score: float = 0.1) -> np.ndarray:
    size = min(image.shape[:2])
    return detector(image, score, detect_resolution=size, image_resolution=size, output_type="np")[..., 0]


def assert_same(segments: Segments, detector: MLSDdetector, image: np.ndarray) -> None:
    """The same lines to a thousandth of a pixel, and the same pixels drawn."""
    with torch.no_grad():
        expected = pred_lines(image, detector.model, list(image.shape[:2]), 0.1, 0.1)
    assert segments.lines.shape == (len(expected), 5)
    np.testing.assert_allclose(segments.lines[:, :4], expected, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(drawn(segments), detect(detector, image))


def test_lines_and_their_drawing_are_those_of_controlnet_aux(ours: Annotate, theirs: MLSDdetector) -> None:
    counts = set()
    for image in pictures():
        (segments,) = ours(image[None], [{}])
        assert_same(segments, theirs, image)
        counts.add(len(segments.lines))
    assert MOST in counts
    assert min(counts) < MOST


def test_a_batch_of_any_size_gives_the_lines_of_single_pictures(ours: Annotate, theirs: MLSDdetector) -> None:
    for width, images in ((128, pictures()), (192, pictures()[1:])):
        batch = np.stack([image[:, :width] for image in images])
        for segments, image in zip(ours(batch, [{}] * len(batch)), batch, strict=True):
            assert_same(segments, theirs, image)


@pytest.mark.parametrize(("score", "least", "most"), [(0.1, 150, 200), (0.6, 1, 50), (0.9999, 0, 0)])
def test_a_higher_score_leaves_fewer_lines_down_to_none(
    theirs: MLSDdetector, score: float, least: int, most: int
) -> None:
    image = pictures()[0]
    (segments,) = load(score=score)(image[None], [{}])
    assert least <= len(segments.lines) <= most
    assert (segments.lines[:, 4] > score).all()
    assert (np.diff(segments.lines[:, 4]) <= 0).all()
    np.testing.assert_array_equal(drawn(segments), detect(theirs, image, score))


def test_a_line_shorter_than_asked_for_is_left_out(ours: Annotate) -> None:
    image = pictures()[2]
    (every,), (long,) = ours(image[None], [{}]), load(distance=20.0)(image[None], [{}])
    length = np.hypot(*(every.lines[:, :2] - every.lines[:, 2:4]).T) / 2
    assert 0 < len(long.lines) < len(every.lines)
    np.testing.assert_array_equal(long.lines, every.lines[length > 20])


def test_no_line_is_an_empty_condition_where_controlnet_aux_hides_an_error(theirs: MLSDdetector) -> None:
    image = pictures()[0]
    with pytest.raises(IndexError), torch.no_grad():
        pred_lines(image, theirs.model, list(image.shape[:2]), 0.9999, 0.1)
    (segments,) = load(score=0.9999)(image[None], [{}])
    annotator = build("mlsd", {}, "mlsd")
    assert annotator.empty(segments)
    assert annotator.measure(segments) == {"lines": 0}
    assert condition.decode("lines", condition.encode("lines", segments)).lines.shape == (0, 5)


def planted(*lines: tuple[int, int, float, float], size: tuple[int, int] = (24, 40)) -> Tensor:
    """Maps with a line at each of these cells: column, row, and the way to one end; the other end is opposite."""
    maps = torch.zeros(5, *size)
    maps[0] = -20
    for number, (column, row, right, below) in enumerate(lines):
        maps[:, row, column] = torch.tensor([5.0 - number, right, below, -right, -below])
    return maps


BATCH = torch.stack([planted((8, 5, 3, 2), (30, 20, -4, 0.25)), planted(), planted((39, 23, 1, 1))])


def test_planted_lines_are_found_at_their_place_in_every_picture_of_a_batch() -> None:
    first, second, third = decode_lines(BATCH, score=0.1, distance=0.1)
    np.testing.assert_array_equal(first[:, :4], [[22, 14, 10, 6], [52, 40.5, 68, 39.5]])
    np.testing.assert_allclose(first[:, 4], torch.sigmoid(torch.tensor([5.0, 4.0])))
    assert second.shape == (0, 5)
    np.testing.assert_array_equal(third[:, :4], [[80, 48, 76, 44]])


def test_maps_flipped_give_the_lines_flipped_to_within_a_pixel() -> None:
    # A cell stands for two pixels and its lines for the left one of them: hence the pixel. A convolution of stride two
    # sees a flipped picture at other places, so of pictures no more than the likeness of two runs can be asked.
    mirrored = BATCH.flip(3) * torch.tensor([1.0, -1, 1, -1, 1])[:, None, None]
    for lines, flipped in zip(
        *(decode_lines(maps, score=0.1, distance=0.1) for maps in (BATCH, mirrored)), strict=True
    ):
        expected = geometry.flip("lines", Segments((48, 80), lines))
        np.testing.assert_allclose(flipped, expected.lines, rtol=0, atol=1)


@pytest.mark.parametrize("shape", [(16, 16), (16, 256), (256, 16), (17, 23), (100, 131)])
def test_a_picture_of_any_size_has_its_lines_in_its_own_pixels(ours: Annotate, shape: tuple[int, int]) -> None:
    image = pictures("exact")[0]
    height, width = shape
    image = np.tile(image, (2, 2, 1))[:height, :width]
    (segments,) = ours(image[None], [{}])
    assert segments.shape == shape
    assert 0 < len(segments.lines) <= MOST
    centres = (segments.lines[:, :2] + segments.lines[:, 2:4]) / 2
    assert np.isfinite(centres).all()
    assert hint("lines", segments).shape == (3, height, width)


def test_what_a_side_is_continued_by_holds_no_line(monkeypatch: pytest.MonkeyPatch, ours: Annotate) -> None:
    # Every cell has a line as likely as any other, from itself to the cell below and to the right.
    def everywhere(_: object, images: Tensor) -> Tensor:
        maps = torch.ones(len(images), 9, images.shape[2] // 2, images.shape[3] // 2)
        maps[:, 1:3] = 0
        return maps

    monkeypatch.setattr(MobileV2_MLSD_Large, "forward", everywhere)
    (segments,) = ours(np.zeros((1, 17, 19, 3), np.uint8), [{}])
    assert len(segments.lines) == 9 * 10
    assert segments.lines[:, :2].max(axis=0).tolist() == [18, 16]


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_constant_picture_and_a_grey_one_are_no_error(ours: Annotate, theirs: MLSDdetector, grey: int) -> None:
    image = pictures()[0]
    constant = np.full_like(image, grey)
    colourless = np.repeat(image[..., :1], 3, axis=2)
    for segments, picture in zip(ours(np.stack([constant, colourless]), [{}] * 2), (constant, colourless), strict=True):
        assert np.isfinite(segments.lines).all()
        if picture is colourless:  # of a constant picture every cell is as good as the next: which 200 is nobody's word
            np.testing.assert_array_equal(drawn(segments), detect(theirs, picture))


def test_lines_are_stored_and_counted_in_a_shard(
    tmp_path: Path, ingest: Callable[..., Dataset], rows: Callable
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, image in enumerate(pictures("exact")):
        (corpus / f"{number}.png").write_bytes(encode_generated(image))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    dataset = ingest(corpus)
    bound = bind(make_tasks(dataset, ["mlsd"], resolution=SIZE), torch.device("cpu"))
    annotate_shard(dataset, *dataset.shards(), bound, batch_size=2, threads=1, done=lambda _: None)
    made = rows(dataset, "mlsd")
    assert [row["status"] for row in made] == ["ok"] * 3
    for row in made:
        segments = condition.decode("lines", row["condition"])
        assert row["stats"] == {"lines": len(segments.lines)}
        assert min(segments.shape) == SIZE


@pytest.mark.parametrize("broken", ["truncated", "another"])
def test_weights_that_are_not_its_own_are_one_clear_error(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    if broken == "truncated":
        (tmp_path / WEIGHTS).write_bytes((weights / WEIGHTS).read_bytes()[:100_000])
    else:
        torch.save(nn.Conv2d(4, 4, 3).state_dict(), tmp_path / WEIGHTS)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match=WEIGHTS):
        load()
