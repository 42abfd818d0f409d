"""Weights are pinned and never executed, and when they are missing a user is told what to do."""

import os
import pickle
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from controlnet_aux.hed import ControlNetHED_Apache2

from annotate.published import WEIGHTS
from annotate.registry import build, check_weights, from_card, make_card
from annotate.weights import OTHERS, VARIABLE, describe, load_weights

HED = "ControlNetHED.pth"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights with an untrained HED in it."""
    torch.save(ControlNetHED_Apache2().state_dict(), tmp_path / HED)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, an empty cache, no network."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "empty"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("name", list(WEIGHTS))
def test_missing_weights_are_named_with_their_licence_and_three_ways_to_have_them(name: str) -> None:
    with pytest.raises(ValueError, match=name) as error:
        describe(name)
    for words in (WEIGHTS[name].licence, WEIGHTS[name].repository, f"set {VARIABLE}", "hf download", "connect"):
        assert words in str(error.value)


def test_a_wrong_sha256_is_refused_with_both_and_the_way_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OTHERS)
    wrong = sha256((folder / HED).read_bytes()).hexdigest()
    for use in (describe, load_weights):
        with pytest.raises(ValueError, match=rf"{HED}: sha256 {wrong} is not .*{WEIGHTS[HED].sha256}.* set {OTHERS}=1"):
            use(HED)


def test_another_file_that_is_meant_is_recorded_by_its_own_sha256(folder: Path) -> None:
    (said,) = describe(HED)
    assert said.sha256 != WEIGHTS[HED].sha256
    assert said.licence == "unknown"
    assert set(load_weights(HED)) == set(ControlNetHED_Apache2().state_dict())


def test_a_family_is_not_gone_on_with_under_other_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = make_card(build("hed", {}, "hed"), "hed", resolution=512, made_from={})
    assert from_card(card) == build("hed", {}, "hed")
    (folder / "other").mkdir()
    torch.save(ControlNetHED_Apache2().state_dict(), folder / "other" / HED)
    monkeypatch.setenv(VARIABLE, str(folder / "other"))
    with pytest.raises(ValueError, match="weights differ"):
        from_card(card)


def test_a_file_that_would_run_something_is_refused(folder: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(folder / "harm"),))

    (folder / HED).write_bytes(pickle.dumps(Harm()))
    with pytest.raises(ValueError, match=rf"{HED}: not weights .*{VARIABLE}"):
        load_weights(HED)
    assert not (folder / "harm").exists()


def test_a_worker_with_other_weights_than_its_job_stops(folder: Path) -> None:
    card = make_card(build("hed", {}, "hed"), "hed", resolution=512, made_from={})
    torch.save({"moved": torch.ones(1)}, folder / HED)
    with pytest.raises(ValueError, match=rf"family hed: other weights on this machine \({HED}\)"):
        check_weights(card, build("hed", {}, "hed"))


@pytest.mark.parametrize("name", ["depth", "segmentation", "openpose"])
def test_the_tiny_detectors_carry_the_licence_of_their_card(name: str) -> None:
    said = describe(f"tiny/{name}")
    assert "model.safetensors" in [weights.file for weights in said]
    assert {weights.licence for weights in said} == {"Apache-2.0"}


@pytest.mark.parametrize("name", ["tiny/dpeth", "tiny/", "tiny/../tiny/depth"])
def test_a_misspelt_tiny_detector_is_told_which_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: no .* There are tiny/depth, tiny/openpose, tiny/segmentation$"):
        make_card(build("depth", {"model": name}, "depth"), "depth", resolution=512, made_from={})
