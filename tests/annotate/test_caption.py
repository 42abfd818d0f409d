"""Captions are those of transformers' BLIP, word for word, in batches."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

from annotate.annotator import Annotate
from annotate.corpora.format import OPTIONAL
from annotate.image import decode, encode_generated, fit
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests.dataset import Dataset
from manifests.figures import Text
from tests.annotate import random_models

PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:6]
SETTINGS: list[dict[str, Any]] = [{}, {"prompt": "A photo of"}, {"beams": 3}, {"max_tokens": 3}]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of weights with a small BLIP in it, and one that says nothing."""
    weights = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    random_models.blip(weights / "blip")
    random_models.blip(weights / "silent", silent=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(weights))
        yield weights


def load(**settings: Any) -> Annotate:
    return build("caption", {"model": "blip", **settings}, "caption").load(torch.device("cpu"))


@pytest.mark.skipif(not PHOTOS, reason="no photographs here")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_captions_in_batches_are_those_of_transformers_picture_by_picture(
    folder: Path, settings: dict[str, Any]
) -> None:
    model = BlipForConditionalGeneration.from_pretrained(folder / "blip").eval()
    processor = BlipProcessor.from_pretrained(folder / "blip")
    prompt = {"text": settings["prompt"]} if "prompt" in settings else {}
    ours, seen = load(**settings), set()
    for size in ((120, 90), (64, 100)):
        pictures = [np.array(Image.open(path).convert("RGB").resize(size)) for path in PHOTOS]
        for made, picture in zip(ours(np.stack(pictures), [{}] * len(pictures)), pictures, strict=True):
            inputs = processor(images=Image.fromarray(picture), return_tensors="pt", **prompt)
            written = model.generate(
                **inputs, max_new_tokens=settings.get("max_tokens", 30), num_beams=settings.get("beams", 1)
            )
            assert made.text == processor.decode(written[0], skip_special_tokens=True)
            assert made.shape == picture.shape[:2]
            assert made.text.startswith(settings.get("prompt", "").lower())
            seen.add(made.text)
    assert len(seen) > 3, "captions that are all alike would prove nothing"


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (32, 512)])
def test_odd_pictures_are_described_too(size: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (1, *size, 1), np.uint8).repeat(3, axis=3)
    texts = load()(np.concatenate([grey, np.full_like(grey, 90)]), [{}, {}])
    assert all(text.shape == size and text.text for text in texts)


def test_nothing_but_the_prompt_is_empty() -> None:
    annotator = build("caption", {"prompt": "A photo of "}, "caption")
    assert annotator.empty(Text((4, 4), "a photo of"))
    assert not annotator.empty(Text((4, 4), "a photo of a cat"))
    assert annotator.measure(Text((4, 4), "a cat")) == {"length": 5}
    assert build("caption", {}, "caption").empty(Text((4, 4), ""))


def test_a_prompt_is_part_of_what_made_the_family(ingested: Dataset) -> None:
    plain, led = make_tasks(
        ingested,
        ["caption", "led=caption"],
        settings=["caption.model=blip", "led.model=blip", "led.prompt=a photo of"],
    )
    assert led.card.settings["prompt"] == "a photo of"
    assert led.card.fingerprint != plain.card.fingerprint


@pytest.mark.parametrize(("setting", "value"), [("max_tokens", 0), ("beams", 0)])
def test_impossible_settings_are_refused(setting: str, value: int) -> None:
    with pytest.raises(ValueError, match=setting):
        build("caption", {setting: value}, "caption")


def test_a_model_that_does_not_write_is_refused(folder: Path) -> None:
    random_models.segformer(folder / "segformer", 6)
    with pytest.raises(ValueError, match=r"is a 'segformer' model\. Choose one of type blip"):
        load(model="segformer")


@pytest.fixture
def ingested(tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset]) -> Dataset:
    """Pictures of which two have no caption."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    pictures = [encode_generated(fit(decode(data), 96)) for data in png[:3]]
    for number, picture in enumerate(pictures):
        (corpus / f"{number}.png").write_bytes(picture)
    (corpus / "1.txt").write_text("a circle")
    return ingest(corpus, captions=OPTIONAL)


@pytest.mark.parametrize("model", ["blip", "silent"])
def test_pictures_without_captions_get_some_or_are_said_to_have_none(
    ingested: Dataset, rows: Callable[..., list], model: str
) -> None:
    assert sorted(row["captions"] for row in rows(ingested)) == [[], [], ["a circle"]]
    tasks = make_tasks(ingested, ["caption"], settings=[f"caption.model={model}"], resolution=96)
    (name,) = ingested.shards()
    annotate_shard(ingested, name, bind(tasks, torch.device("cpu")), batch_size=2, threads=1, done=lambda _: None)
    for row in rows(ingested, "caption"):
        assert row["status"] == ("ok" if model == "blip" else "empty")
        assert row["stats"]["length"] == len(row["condition"]["text"])
        assert (row["condition"]["height"], row["condition"]["width"]) == (96, 96)
