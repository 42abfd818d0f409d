"""Likeness by embedding, with a small CLIP of random weights, which sees colours and places all the same."""

from pathlib import Path

import numpy as np
import pytest
import torch

from annotate.weights import VARIABLE
from evaluate.leaks.likeness import Likeness, edited, find_alike, find_clip
from evaluate.leaks.trained import trained_on
from tests.annotate import random_models
from tests.evaluate.leaks.case import edits, scenes, square, write_case
from tests.near_copies import rows_of


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights with a small CLIP, and no Hub."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(0)
    random_models.clip(folder / "clip")
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "cache"))
    return folder


def look(home: Path, planted: bool) -> tuple[Likeness, dict[str, str]]:
    clip = find_clip("clip", torch.device("cpu"))
    assert clip is not None
    pictures = scenes(40)
    test = {f"t{number}": picture for number, picture in enumerate(pictures[:12])}
    train = {f"r{number}": picture for number, picture in enumerate(pictures[12:])}
    if planted:
        train |= {f"jpeg{number}": edits(pictures[number])["jpeg"] for number in range(3)}
    dataset = write_case(home, train, test, hashed=False)
    names = {row["key"]: name for name, row in rows_of(dataset).items()}
    samples = {key: square(test[name]) for key, name in names.items() if name in test}
    told: list[int] = []
    found = find_alike(
        clip, samples, trained_on(home / "run"), most=1_000, progress=lambda done, total: told.append(done)
    )
    assert told[-1] == len(train)
    return found, names


def test_edited_copies_look_more_alike_than_all_else(tmp_path: Path) -> None:
    found, names = look(tmp_path, planted=True)
    index = trained_on(tmp_path / "run").index["key"]
    nearest = {names[each.key]: names[index[each.row].as_py()] for each in found.alike}
    assert {name: row for name, row in nearest.items() if name in ("t0", "t1", "t2")} == {
        "t0": "jpeg0",
        "t1": "jpeg1",
        "t2": "jpeg2",
    }
    assert all(each.cosine >= found.threshold for each in found.alike)
    assert found.rows == 31


def test_weights_that_are_not_here_are_said_to_be_missing() -> None:
    assert find_clip("openai/clip-vit-base-patch32", torch.device("cpu")) is None


def test_another_model_is_refused(weights: Path) -> None:
    (weights / "other").mkdir()
    (weights / "other/config.json").write_text('{"model_type": "dpt"}')
    with pytest.raises(ValueError, match=r"it is a 'dpt' model\. Choose one of type clip"):
        find_clip("other", torch.device("cpu"))


def test_a_picture_has_the_same_embedding_in_every_batch() -> None:
    clip = find_clip("clip", torch.device("cpu"))
    assert clip is not None
    pictures = [square(picture) for picture in scenes(5)]
    together = clip(pictures)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together, np.concatenate([clip([picture]) for picture in pictures]), atol=1e-5)


def test_edited_copies_differ_and_keep_their_place() -> None:
    picture = square(scenes(1)[0])
    copies = list(edited(picture))
    assert len(copies) == 4
    assert not any(copy.shape == picture.shape and np.array_equal(copy, picture) for copy in copies)
