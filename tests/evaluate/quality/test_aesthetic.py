"""A rating is the layer's, of CLIP's unit embedding."""

from pathlib import Path

import numpy as np
import pytest
import torch

from annotate.weights import OTHERS, Missing
from evaluate.quality.aesthetic import PUBLISHED, Aesthetic


def test_ratings_are_the_layer_on_the_embedding(weights: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    seen = Aesthetic("clip").load(torch.device("cpu"))(pictures, [""] * 3)
    state = torch.load(weights / PUBLISHED.file, weights_only=True)
    expected = seen.features @ state["weight"].numpy()[0] + state["bias"].item()
    assert seen.values == pytest.approx(expected.tolist(), abs=1e-5)


def test_without_the_layer_it_is_said_where_to_get_it(weights: Path) -> None:
    (weights / PUBLISHED.file).unlink()
    with pytest.raises(Missing, match=r"Download https://github\.com/LAION-AI"):
        Aesthetic("clip").weights()


def test_a_layer_that_is_not_the_published_one_is_refused(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OTHERS)
    with pytest.raises(ValueError, match=f"is not the published {PUBLISHED.sha256}"):
        Aesthetic("clip").weights()


def test_a_layer_for_another_clip_is_refused(weights: Path) -> None:
    torch.save(torch.nn.Linear(8, 1).state_dict(), weights / PUBLISHED.file)
    with pytest.raises(ValueError, match="weights of another network than Linear"):
        Aesthetic("clip").load(torch.device("cpu"))


def test_a_file_that_would_run_something_is_refused(weights: Path) -> None:
    torch.save({"weight": Path("x")}, weights / PUBLISHED.file)
    with pytest.raises(ValueError, match="not weights that can be read"):
        Aesthetic("clip").load(torch.device("cpu"))
