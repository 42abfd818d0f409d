"""Two ways to resize a picture before it is annotated: exactly, and as controlnet_aux does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux import CannyDetector
from controlnet_aux.util import resize_image
from PIL import Image

from annotate.image import encode_generated, fit
from annotate.registry import from_card
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks, parse_profile
from manifests import condition
from manifests.dataset import Dataset
from manifests.family import create_card

rng = np.random.default_rng(0)
SIZES = [(640, 480), (480, 640), (333, 500), (100, 1000), (97, 131), (512, 512), (48, 60), (1200, 801)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resolution", [128, 512])
def test_pictures_are_resized_as_controlnet_aux_does_to_the_bit(size: tuple[int, int], resolution: int) -> None:
    picture = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    assert np.array_equal(fit(picture, resolution, "aux"), resize_image(picture, resolution))


def test_the_exact_profile_keeps_the_aspect_ratio_to_half_a_pixel() -> None:
    for height, width in SIZES:
        rows, columns = fit(np.zeros((height, width, 3), np.uint8), 512).shape[:2]
        assert min(rows, columns) == 512
        assert abs(max(rows, columns) - 512 * max(height, width) / min(height, width)) <= 0.5


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def test_a_dataset_annotated_like_controlnet_aux_holds_its_very_maps(
    corpus: Path, ingest: Callable[..., Dataset]
) -> None:
    tiles = [rng.integers(0, 256, (12, 9 + 3 * number, 3)).astype(np.uint8) for number in range(4)]
    pictures = [np.kron(tile, np.ones((9, 11, 1), np.uint8)) for tile in tiles]
    for number, picture in enumerate(pictures):
        (corpus / f"{number}.png").write_bytes(encode_generated(picture))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    dataset = ingest(corpus)
    (name,) = dataset.shards()
    tasks = make_tasks(dataset, ["canny"], resolution=128, profile="aux")
    annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=4, threads=0, done=lambda _: None)
    detector = CannyDetector()
    for row, picture in zip(dataset.read("canny", name).to_pylist(), pictures, strict=True):
        theirs = np.asarray(detector(Image.fromarray(picture), detect_resolution=128, image_resolution=128))
        assert (row["height"], row["width"]) == theirs.shape[:2]
        assert np.array_equal(condition.decode("binary", row["condition"]) * np.uint8(255), theirs[..., 0])


def test_the_profile_is_part_of_what_a_family_is(corpus: Path, ingest: Callable[..., Dataset]) -> None:
    (corpus / "0.png").write_bytes(encode_generated(np.zeros((64, 80, 3), np.uint8)))
    (corpus / "0.txt").write_text("nothing")
    dataset = ingest(corpus)
    exact, aux = (make_tasks(dataset, ["canny"], profile=parse_profile(words))[0].card for words in ("exact", "aux"))
    assert exact.fingerprint != aux.fingerprint
    create_card(dataset.root, exact)
    with pytest.raises(ValueError, match="profile: 'exact' there, 'aux' asked for"):
        create_card(dataset.root, aux)
    assert from_card(aux) == from_card(exact)
    with pytest.raises(ValueError, match="--profile cn10: there are exact, aux"):
        parse_profile("cn10")
