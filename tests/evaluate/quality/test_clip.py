"""CLIP's scores are those of transformers, pair by pair, on the scale of published tables."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

from annotate.weights import Missing
from evaluate.quality.clip import ClipPictures, ClipScore
from evaluate.quality.network import Seen

CAPTIONS = ["red ball", "a blue box on a sand floor", "", "red ball blue box grey wall sand floor green cone " * 8]


def pictures(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (len(CAPTIONS), 96, 96, 3), np.uint8)


def scored(pictures: NDArray[np.uint8]) -> Seen:
    return ClipScore("clip").load(torch.device("cpu"))(pictures, CAPTIONS)


def test_scores_are_100_times_the_cosine_as_transformers_has_it_below_0_too(weights: Path) -> None:
    model, processor = (part.from_pretrained(weights / "clip") for part in (CLIPModel, CLIPProcessor))
    theirs: list[float | None] = []
    for picture, caption in zip(pictures(), CAPTIONS, strict=True):
        inputs = processor(
            text=[caption], images=Image.fromarray(picture), return_tensors="pt", truncation=True, max_length=16
        )
        with torch.inference_mode():
            told = model.eval()(**inputs)
        theirs.append(100 * (told.image_embeds * told.text_embeds).sum().item() if caption else None)
    told_scores = [value for value in theirs if value is not None]
    assert np.std(told_scores) > 5, "scores that are all alike would prove nothing"
    assert min(told_scores) < 0, "nor would scores that clipping leaves as they are"
    assert scored(pictures()).values == pytest.approx(theirs, abs=1e-3)


def test_embeddings_have_length_1_and_do_not_depend_on_the_batch(weights: Path) -> None:
    together = scored(pictures()).features
    alone = ClipPictures("clip").load(torch.device("cpu"))(pictures()[:1], [""]).features
    assert np.linalg.norm(together, axis=1) == pytest.approx(1)
    assert together[:1] == pytest.approx(alone, abs=1e-5)


def test_a_model_that_is_not_safetensors_is_absent_and_it_is_said_how_to_save_it_anew(weights: Path) -> None:
    (weights / "clip/model.safetensors").rename(weights / "clip/pytorch_model.bin")
    with pytest.raises(Missing, match=r"use_safetensors=False\)\.save_pretrained"):
        ClipPictures("clip").weights()


def test_a_model_of_another_kind_is_refused(weights: Path) -> None:
    config = weights / "clip/config.json"
    config.write_text(config.read_text().replace('"model_type": "clip"', '"model_type": "siglip"'))
    with pytest.raises(ValueError, match="Choose one of type clip"):
        ClipPictures("clip").load(torch.device("cpu"))


def test_a_folder_stands_in_no_title(weights: Path) -> None:
    assert ClipScore(str(weights / "clip")).title == "weights/clip"
