"""HED is controlnet_aux's, in batches."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux import HEDdetector
from controlnet_aux.util import resize_image
from PIL import Image

from annotate.annotator import Annotate
from annotate.image import decode, encode_generated, fit
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests import condition
from manifests.dataset import Dataset

SHARED = Path(__file__).parents[3] / "shared"
WEIGHTS = SHARED / "weights"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:2]
PLAIN = {"safe": False}
SIZE = 128  # pixels: the network is slow on a CPU
pytestmark = pytest.mark.skipif(
    not PHOTOS or not (WEIGHTS / "ControlNetHED.pth").exists(), reason="no photographs or weights here"
)


@pytest.fixture(scope="module", autouse=True)
def _weights() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(WEIGHTS))
        yield


@pytest.fixture(scope="module")
def theirs(_weights: None) -> HEDdetector:
    return HEDdetector.from_pretrained(str(WEIGHTS))


@pytest.fixture(scope="module")
def ours(_weights: None) -> Annotate:
    return build("hed", {}, "hed").load(torch.device("cpu"))


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    """Two photographs of one shape, resized as controlnet_aux does: [2, H, W, 3] uint8 RGB."""
    resized = [resize_image(decode(path.read_bytes()), SIZE) for path in PHOTOS]
    width = min(image.shape[1] for image in resized)
    return np.stack([image[:SIZE, :width] for image in resized])


def detect(detector: HEDdetector, image: np.ndarray, *, safe: bool = False) -> np.ndarray:
    return detector(image, detect_resolution=SIZE, image_resolution=SIZE, output_type="np", safe=safe)[..., 0]


def apart(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


def test_soft_edges_equal_those_of_controlnet_aux_within_one_step_of_255(ours: Annotate, theirs: HEDdetector) -> None:
    for path in PHOTOS:
        resized = resize_image(decode(path.read_bytes()), SIZE)
        (edges,) = ours(resized[None], [PLAIN])
        picture = theirs(Image.open(path), detect_resolution=SIZE, image_resolution=SIZE)
        assert edges.max() > 200
        assert apart(edges, np.asarray(picture)[..., 0]) <= 1


def test_a_batch_gives_what_single_pictures_give_within_one_step(
    ours: Annotate, theirs: HEDdetector, batch: np.ndarray
) -> None:
    for edges, image in zip(ours(batch, [PLAIN, PLAIN]), batch, strict=True):
        assert apart(edges, detect(theirs, image)) <= 1
        assert apart(edges, ours(image[None], [PLAIN])[0]) <= 1


def test_a_safe_map_beside_a_plain_one_has_the_three_levels_of_controlnet_aux(
    ours: Annotate, theirs: HEDdetector, batch: np.ndarray
) -> None:
    plain, safe = ours(batch, [PLAIN, {"safe": True}])
    assert set(np.unique(safe)) == {0, 127, 255}
    assert (safe != detect(theirs, batch[1], safe=True)).mean() < 1e-4  # a probability at a level's very bound
    assert apart(plain, detect(theirs, batch[0])) <= 1


@pytest.fixture
def photographs(tmp_path: Path, ingest: Callable[..., Dataset]) -> Dataset:
    """Two photographs, one of them twice but for a pixel, and a blank wall."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    pictures = [fit(decode(path.read_bytes()), 96) for path in PHOTOS]
    twin = pictures[0].copy()
    twin[0, 0] = 255 - twin[0, 0]
    for number, picture in enumerate([*pictures, twin, np.full_like(twin, 90)]):
        (corpus / f"{number}.png").write_bytes(encode_generated(picture))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    return ingest(corpus)


def annotate(dataset: Dataset, *, batch_size: int = 4) -> None:
    (name,) = dataset.shards()
    bound = bind(make_tasks(dataset, ["hed"], resolution=96), torch.device("cpu"))
    annotate_shard(dataset, name, bound, batch_size=batch_size, threads=1, done=lambda _: None)


def test_another_size_of_batches_moves_no_soft_edge_by_more_than_a_step(
    photographs: Dataset, rows: Callable[..., list]
) -> None:
    annotate(photographs, batch_size=1)
    alone = rows(photographs, "hed")
    photographs.path("hed", *photographs.shards()).unlink()
    annotate(photographs, batch_size=3)
    for one, other in zip(alone, rows(photographs, "hed"), strict=True):
        assert one["status"] == other["status"]
        assert apart(*(condition.decode("soft", row["condition"]) for row in (one, other))) <= 1


def test_a_blank_wall_has_no_soft_edge(photographs: Dataset, rows: Callable[..., list]) -> None:
    annotate(photographs)
    status = {
        picture["captions"][0]: row["status"]
        for picture, row in zip(rows(photographs), rows(photographs, "hed"), strict=True)
    }
    assert status.pop("picture 3") == "empty"
    assert set(status.values()) == {"ok"}
