"""Line drawings are controlnet_aux's, in batches.

The published weights are not everybody's, so the networks are untrained, of the true architecture. Their normalisation
needs no learning: what they draw has a standard deviation of 20 to 80 of 255, so parity is a test.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from controlnet_aux import LineartAnimeDetector, LineartDetector, LineartStandardDetector
from controlnet_aux.lineart import Generator
from controlnet_aux.lineart_anime import UnetGenerator
from torch import nn

from annotate.annotator import Annotate
from annotate.image import decode, encode_generated, fit
from annotate.lineart import WEIGHTS, Lineart, draw_anime, draw_ink
from annotate.registry import build, make_card
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests import condition, geometry
from manifests.dataset import Dataset

SHARED = Path(__file__).parents[3] / "shared"
PHOTOS = [SHARED / f"data/photos/{name}.jpg" for name in ("n01443537", "n01484850")]
MODELS = ("realistic", "coarse", "anime", "standard")
INSTANCE_NORMALISED = ("realistic", "coarse")
pytestmark = pytest.mark.skipif(not all(path.exists() for path in PHOTOS), reason="no photographs here")


def pictures(height: int = 64, width: int = 128) -> np.ndarray:
    """A part of each photograph, of a shape that controlnet_aux leaves alone: [2, H, W, 3] uint8 RGB."""
    return np.stack([fit(decode(path.read_bytes()), 128, "aux")[-height:, :width] for path in PHOTOS])


def network(model: str) -> nn.Module:
    if model == "anime":
        norm = partial(nn.InstanceNorm2d, affine=False, track_running_stats=False)
        return UnetGenerator(3, 1, 8, 64, norm_layer=norm, use_dropout=False).eval()
    return Generator(3, 1, 3).eval()


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for model, file in WEIGHTS.items():
        prefix = "module." if model == "anime" else ""  # as in the published file
        torch.save({prefix + name: value for name, value in network(model).state_dict().items()}, folder / file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module")
def ours(weights: Path) -> dict[str, Annotate]:
    return {model: build("lineart", {"model": model}, "lineart").load(torch.device("cpu")) for model in MODELS}


@pytest.fixture(scope="module")
def theirs(weights: Path) -> dict[str, Callable[..., np.ndarray]]:
    ink, anime = LineartDetector.from_pretrained(weights), LineartAnimeDetector.from_pretrained(weights)
    return {
        "realistic": ink,
        "coarse": partial(ink, coarse=True),
        "anime": anime,
        "standard": LineartStandardDetector(),
    }


def detect(theirs: dict[str, Callable[..., np.ndarray]], model: str, image: np.ndarray) -> np.ndarray:
    size = min(image.shape[:2])
    sizes = {"detect_resolution": size} | ({} if model == "standard" else {"image_resolution": size})
    return theirs[model](image, **sizes, output_type="np")[..., 0]


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    assert one.shape == other.shape
    return np.abs(one.astype(int) - other)


@pytest.mark.parametrize("model", MODELS)
def test_drawings_equal_those_of_controlnet_aux_within_one_step_of_255(
    ours: dict[str, Annotate], theirs: dict[str, Callable[..., np.ndarray]], model: str
) -> None:
    for batch in (pictures(), pictures(64, 64)):
        for lines, image in zip(ours[model](batch, [{}, {}]), batch, strict=True):
            expected = detect(theirs, model, image)
            assert expected.std() > 10
            assert apart(lines, expected).max() <= (0 if model == "standard" else 1)
            assert apart(lines, expected).mean() < (0.02 if model == "anime" else 0.002)  # it is resized twice
    assert apart(lines, ours[model](image[None], [{}])[0]).max() <= 1


def test_every_model_names_its_own_weights() -> None:
    assert {model: Lineart(model=model).weights for model in MODELS} == {
        "realistic": ("sk_model.pth",),
        "coarse": ("sk_model2.pth",),
        "anime": ("netG.pth",),
        "standard": (),
    }
    cards = [make_card(Lineart(model=model), "lineart", resolution=512, made_from={}) for model in MODELS]
    assert len({card.fingerprint for card in cards}) == len(MODELS)


def test_lines_are_white_on_black_where_the_picture_is_dark(ours: dict[str, Annotate]) -> None:
    image = np.full((1, 96, 96, 3), 230, np.uint8)
    cv2.line(image[0], (10, 48), (85, 48), (20, 20, 20), 2)
    (lines,) = ours["standard"](image, [{}])
    assert lines[48, 20:76].min() > 100
    assert lines[:30].max() == 0
    assert lines[66:].max() == 0


def mirrored_kernels(model: str) -> nn.Module:
    """An untrained network whose kernels are symmetric: what is left of a flip is how a picture is cut into strides."""
    torch.manual_seed(1)
    symmetric = network(model)
    for module in symmetric.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.data = (module.weight.data + module.weight.data.flip(3)) / 2
    return symmetric


@torch.inference_mode()
def test_a_flipped_picture_is_drawn_flipped(ours: dict[str, Annotate]) -> None:
    images = pictures()
    standard = ours["standard"]
    for lines, flipped in zip(standard(images, [{}] * 2), standard(images[:, :, ::-1], [{}] * 2), strict=True):
        assert apart(geometry.flip("soft", lines), flipped).max() <= 1
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    # Strides of 4 fall on the same pixels of both pictures when one is left over; then 3 pixels are added at one side.
    for draw, net, width, most in (
        (draw_anime, mirrored_kernels("anime"), 128, 0.5),
        (draw_ink, mirrored_kernels("realistic"), 125, 4.0),
    ):
        picture = pixels[..., :width]
        ink, flipped = draw(picture, network=net), draw(picture.flip(3), network=net).flip(2)
        assert ink.std() > 10
        assert (ink - flipped).abs().mean() < most


@torch.inference_mode()
def test_sides_that_are_no_multiple_of_four_hardly_change_the_drawing() -> None:
    torch.manual_seed(0)
    ink = network("realistic")
    pixels = torch.from_numpy(pictures()).permute(0, 3, 1, 2).float()
    whole = draw_ink(pixels, network=ink)
    for height, width in ((61, 125), (62, 127)):
        part = draw_ink(pixels[:, :, :height, :width], network=ink)
        assert (part - whole[:, :height, :width]).abs().mean() < 3
        squeezed = ink(pixels[:, :, :height, :width] / 255)[:, 0] * 255  # as controlnet_aux has it, before its resize
        assert squeezed.shape != part.shape


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(16, 16), (16, 256), (33, 70)])
def test_a_picture_of_any_size_is_drawn_at_its_own_size(
    ours: dict[str, Annotate], model: str, shape: tuple[int, int]
) -> None:
    height, width = shape
    image = np.tile(pictures()[0], (1, 2, 1))[:height, :width]
    (lines,) = ours[model](image[None], [{}])
    assert lines.shape == shape
    assert lines.dtype == np.uint8
    assert lines.any()


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")  # theirs, of the constant one
@pytest.mark.parametrize("model", MODELS)
def test_constant_and_grey_pictures_are_drawn_as_controlnet_aux_draws_them(
    ours: dict[str, Annotate], theirs: dict[str, Callable[..., np.ndarray]], model: str
) -> None:
    photograph = pictures(64, 64)[0]
    batch = np.stack([np.full_like(photograph, 127), np.repeat(photograph[..., :1], 3, axis=2)])
    constant, grey = ours[model](batch, [{}, {}])
    assert apart(grey, detect(theirs, model, batch[1])).max() <= 1
    if model in INSTANCE_NORMALISED:
        # What is constant but for its rounding is brought to a variance of one: both draw their processor's rounding.
        assert constant.shape == detect(theirs, model, batch[0]).shape
    else:
        assert apart(constant, detect(theirs, model, batch[0])).max() <= 8


def test_a_blank_wall_has_no_line_and_a_photograph_has_mass(
    tmp_path: Path, ingest: Callable[..., Dataset], rows: Callable
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    photograph = pictures()[0]
    for number, image in enumerate([photograph, np.full_like(photograph, 90)]):
        (corpus / f"{number}.png").write_bytes(encode_generated(image))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    dataset = ingest(corpus)
    bound = bind(make_tasks(dataset, ["drawn=lineart"], settings=["drawn.model=standard"]), torch.device("cpu"))
    annotate_shard(dataset, *dataset.shards(), bound, batch_size=2, threads=1, done=lambda _: None)
    by_caption = {
        picture["captions"][0]: row for picture, row in zip(rows(dataset), rows(dataset, "drawn"), strict=True)
    }
    assert by_caption["picture 1"]["status"] == "empty"
    row = by_caption["picture 0"]
    assert row["status"] == "ok"
    mass = condition.decode("soft", row["condition"]).mean() / 255
    assert row["stats"]["edge_density"] == pytest.approx(mass, abs=1e-6)


@pytest.mark.parametrize("model", ["coarse", "anime"])
@pytest.mark.parametrize("broken", ["truncated", "another"])
def test_weights_that_are_not_its_own_are_one_clear_error(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, model: str
) -> None:
    file = WEIGHTS[model]
    if broken == "truncated":
        (tmp_path / file).write_bytes((weights / file).read_bytes()[:100_000])
    else:
        torch.save(nn.Conv2d(4, 4, 3).state_dict(), tmp_path / file)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match=file):
        build("lineart", {"model": model}, "lineart").load(torch.device("cpu"))
