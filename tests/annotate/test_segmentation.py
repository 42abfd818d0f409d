"""Class maps are those of transformers' own processors, in batches: every pixel of the pictures tried has one class."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoModelForSemanticSegmentation,
    AutoModelForUniversalSegmentation,
    AutoProcessor,
)

from annotate import segmentation
from annotate.annotator import Annotate
from annotate.corpora import playroom
from annotate.image import decode, encode_generated, fit
from annotate.registry import build, make_card
from annotate.segmentation import likeliest
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests import condition
from manifests.dataset import Dataset
from manifests.geometry import flip
from tests.annotate import random_models
from train.hints import hint

PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:3]
SMALL = ("segformer", "beit", "mask2former", "maskformer", "oneformer")
UNIVERSAL = ("mask2former", "maskformer", "oneformer")
ALIKE = 0.9999  # share of equal pixels: two scores may differ by less than a batch rounds
needs_photos = pytest.mark.skipif(not PHOTOS, reason="no photographs here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of weights with a small model of each type in it."""
    weights = tmp_path_factory.mktemp("weights")
    for name in SMALL:
        torch.manual_seed(1)
        getattr(random_models, name)(weights / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(weights))
        yield weights


def load(model: str) -> Annotate:
    return build("segmentation", {"model": model}, "segmentation").load(torch.device("cpu"))


def pictures(*sizes: tuple[int, int]) -> list[np.ndarray]:
    """Photographs of these heights and widths, [H, W, 3] uint8 RGB."""
    opened = [Image.open(PHOTOS[number % len(PHOTOS)]).convert("RGB") for number in range(len(sizes))]
    return [np.array(image.resize(size[::-1])) for image, size in zip(opened, sizes, strict=True)]


def of_transformers(folder: Path, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Their way: processor, model and post-processing of one PIL picture after the other."""
    kind = AutoModelForUniversalSegmentation if name in UNIVERSAL else AutoModelForSemanticSegmentation
    model = kind.from_pretrained(folder / name).eval()
    told: dict[str, Any] = {"task_inputs": ["semantic"]} if name == "oneformer" else {}
    processor = (AutoProcessor if told else AutoImageProcessor).from_pretrained(folder / name)

    @torch.inference_mode()
    def classes(picture: np.ndarray) -> np.ndarray:
        outputs = model(**processor(images=Image.fromarray(picture), return_tensors="pt", **told))
        return processor.post_process_semantic_segmentation(outputs, target_sizes=[picture.shape[:2]])[0].numpy()

    return classes


@needs_photos
@pytest.mark.parametrize("name", SMALL)
def test_classes_in_batches_of_mixed_sizes_are_those_of_transformers_picture_by_picture(
    folder: Path, name: str
) -> None:
    ours, theirs = load(name), of_transformers(folder, name)
    seen: set[int] = set()
    for sizes in ([(96, 170)] * 2, [(200, 150)]):
        batch = pictures(*sizes)
        for made, picture in zip(ours(np.stack(batch), [{}] * len(batch)), batch, strict=True):
            expected = theirs(picture)
            assert made.shape == picture.shape[:2]
            assert made.dtype == np.uint8
            assert (made == expected).mean() >= ALIKE
            seen |= set(np.unique(made).tolist())
    assert len(seen) > 3, "a map of one class would prove nothing"


@needs_photos
def test_upernet_of_true_size_at_512_pixels_gives_every_pixel_the_class_that_transformers_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    random_models.upernet(tmp_path / "upernet")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (picture,) = pictures((512, 576))
    (made,) = load("upernet")(picture[None], [{}])
    assert len(np.unique(made)) > 10
    assert (made == of_transformers(tmp_path, "upernet")(picture)).mean() >= ALIKE


@pytest.mark.parametrize("name", ["segformer", "mask2former", "oneformer"])
@pytest.mark.parametrize("size", [(16, 16), (1, 1), (32, 512)])
def test_odd_pictures_have_a_map_of_their_own_size(folder: Path, name: str, size: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (1, *size, 1), np.uint8).repeat(3, axis=3)
    constant = np.full_like(grey, 90)
    for made in load(name)(np.concatenate([grey, constant]), [{}, {}]):
        assert made.shape == size
        assert made.max() < random_models.ADE20K


def test_scores_are_enlarged_a_few_pictures_at_a_time_to_the_same_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = torch.randn(5, 7, 8, 9, generator=torch.Generator().manual_seed(0))
    whole = likeliest(scores, (30, 40))
    monkeypatch.setattr(segmentation, "AT_ONCE", 2 * 7 * 30 * 40)
    assert torch.equal(likeliest(scores, (30, 40)), whole)


def test_classes_and_their_entropy_are_those_computed_by_hand() -> None:
    annotator = build("segmentation", {}, "segmentation")
    quarters = np.array([[0, 0, 1, 254]], np.uint8)
    assert annotator.measure(quarters) == {"classes": 3, "entropy": 1.5}
    assert annotator.measure(np.zeros((3, 3), np.uint8)) == {"classes": 1, "entropy": 0}
    assert annotator.measure(np.full((3, 3), 255, np.uint8)) == {"classes": 0, "entropy": 0}


def test_a_map_of_one_class_is_empty() -> None:
    annotator = build("segmentation", {}, "segmentation")
    assert annotator.empty(np.full((4, 4), 12, np.uint8))
    assert not annotator.empty(np.array([[12, 13]], np.uint8))


def test_the_card_names_the_classes_and_every_file_that_decides_them(folder: Path) -> None:
    card = make_card(build("segmentation", {"model": "oneformer"}, "it"), "segmentation", made_from={}, resolution=512)
    assert card.labels[:2] == ["LABEL_0", "LABEL_1"]
    assert len(card.labels) == random_models.ADE20K
    assert {weights.file for weights in card.weights} >= {"config.json", "model.safetensors", "tokenizer.json"}


def _spoil(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.fixture
def spoilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SegFormer to be spoilt."""
    random_models.segformer(tmp_path / "model", 6)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path / "model"


def test_more_classes_than_a_map_can_hold_are_refused_before_anything_is_loaded(spoilt: Path) -> None:
    _spoil(spoilt, id2label={str(number): f"class {number}" for number in range(256)})
    with pytest.raises(ValueError, match="has 256 classes, and a class map holds 255"):
        make_card(build("segmentation", {"model": "model"}, "it"), "it", made_from={}, resolution=512)


def test_a_model_that_does_not_segment_is_refused_by_its_type(spoilt: Path) -> None:
    _spoil(spoilt, model_type="blip")
    with pytest.raises(ValueError, match=r"is a 'blip' model\. Choose one of type upernet, segformer"):
        load("model")


def test_truncated_weights_are_one_clear_error(spoilt: Path) -> None:
    weights = spoilt / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"model is not a model that can be read .*safetensors.*PAIRMILL_WEIGHTS"):
        load("model")


def test_weights_of_another_network_are_refused_and_not_drawn_at_random(spoilt: Path, folder: Path) -> None:
    (spoilt / "model.safetensors").write_bytes((folder / "beit/model.safetensors").read_bytes())
    with pytest.raises(ValueError, match="weights of another network than SegformerForSemanticSegmentation"):
        load("model")


def test_a_processor_that_cuts_the_borders_off_is_refused(spoilt: Path) -> None:
    path = spoilt / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"do_center_crop": True}))
    with pytest.raises(ValueError, match="do_center_crop"):
        load("model")


@needs_photos
def test_a_family_of_class_maps_is_made_with_its_stats(
    tmp_path: Path, folder: Path, ingest: Callable[..., Dataset], rows: Callable[..., list]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, path in enumerate(PHOTOS):
        (corpus / f"{number}.png").write_bytes(encode_generated(fit(decode(path.read_bytes()), 96)))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    dataset = ingest(corpus)
    tasks = make_tasks(dataset, ["segmentation"], settings=["segmentation.model=segformer"], resolution=96)
    (name,) = dataset.shards()
    annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=2, threads=1, done=lambda _: None)
    ours = load("segformer")
    for picture, row in zip(rows(dataset), rows(dataset, "segmentation"), strict=True):
        (expected,) = ours(fit(decode(picture["image"]["bytes"]), 96)[None], [{}])
        assert (condition.decode("classes", row["condition"]) == expected).mean() >= ALIKE
        assert row["status"] == "ok"
        assert row["stats"]["classes"] == len(np.unique(expected))


def test_flipping_picture_and_map_together_gives_nearly_the_hint_of_the_flipped_picture() -> None:
    """Nearly, for a network is no mirror image of itself: at least 97 % of the pixels."""
    ours = load("tiny/segmentation")
    batch = np.stack([playroom.record(5, row).image for row in range(4)])
    for plain, mirrored in zip(ours(batch, [{}] * 4), ours(batch[:, :, ::-1].copy(), [{}] * 4), strict=True):
        flipped = hint("classes", flip("classes", plain))
        assert (flipped == hint("classes", mirrored)).all(0).float().mean() >= 0.97
