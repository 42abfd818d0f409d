"""PiDiNet is controlnet_aux's, in batches."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux import PidiNetDetector
from controlnet_aux.util import resize_image
from PIL import Image

from annotate.annotator import Annotate
from annotate.image import decode, fit
from annotate.registry import build
from annotate.weights import VARIABLE

SHARED = Path(__file__).parents[3] / "shared"
WEIGHTS = SHARED / "weights"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:40:10]
PLAIN, SAFE = {"safe": False}, {"safe": True}
SIZE = 192  # pixels
pytestmark = pytest.mark.skipif(
    not PHOTOS or not (WEIGHTS / "table5_pidinet.pth").exists(), reason="no photographs or weights here"
)


@pytest.fixture(scope="module", autouse=True)
def _weights() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(WEIGHTS))
        yield


@pytest.fixture(scope="module")
def theirs(_weights: None) -> PidiNetDetector:
    return PidiNetDetector.from_pretrained(str(WEIGHTS))


@pytest.fixture(scope="module")
def ours(_weights: None) -> Annotate:
    return build("softedge", {}, "softedge").load(torch.device("cpu"))


def apart(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


def test_soft_edges_equal_those_of_controlnet_aux_within_one_step_of_255(
    ours: Annotate, theirs: PidiNetDetector
) -> None:
    for path in PHOTOS:
        resized = resize_image(decode(path.read_bytes()), SIZE)
        (edges,) = ours(resized[None], [PLAIN])
        picture = np.asarray(theirs(Image.open(path), detect_resolution=SIZE, image_resolution=SIZE))[..., 0]
        assert edges.max() > 200
        assert apart(edges, picture) <= 1
        assert (edges != picture).mean() < 1e-3  # where they differ at all: a probability at a step's very bound


@pytest.mark.parametrize("size", [(192, 256), (256, 192), (64, 448)])
def test_a_batch_of_any_shape_gives_what_single_pictures_give_to_controlnet_aux(
    ours: Annotate, theirs: PidiNetDetector, size: tuple[int, int]
) -> None:
    pictures = [decode(path.read_bytes()) for path in PHOTOS[:3]]
    batch = np.stack([np.tile(fit(picture, 256), (2, 2, 1))[: size[0], : size[1]] for picture in pictures])
    short = min(size)
    for edges, image, row in zip(ours(batch, [PLAIN, SAFE, PLAIN]), batch, (PLAIN, SAFE, PLAIN), strict=True):
        picture = theirs(image, detect_resolution=short, image_resolution=short, output_type="np", safe=row["safe"])
        assert (edges != picture[..., 0]).mean() < 1e-3
        assert row["safe"] or apart(edges, picture[..., 0]) <= 1
