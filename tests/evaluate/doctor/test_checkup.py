"""A doctor says of every annotator whether it runs, and is fooled neither by absent weights nor by damaged ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from controlnet_aux.hed import ControlNetHED_Apache2

from annotate.annotator import Annotator
from annotate.chain import assemble
from annotate.hed import WEIGHTS
from annotate.published import WEIGHTS as PUBLISHED
from annotate.registry import ANNOTATORS
from annotate.weights import OTHERS, VARIABLE, find_file
from evaluate.doctor.checkup import Finding, examine, show
from evaluate.doctor.golden import FOLDER, card_of, golden_picture, record, recorded
from manifests.condition import Kind

CPU = torch.device("cpu")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An untrained HED whose map is no constant, in a folder of weights; nothing else, and no way to the Hub."""
    torch.manual_seed(0)
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(ControlNetHED_Apache2().state_dict(), folder / WEIGHTS)
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("annotate.weights.hf_hub_download", _no_download)
    return folder


def _no_download(*_: object, **__: object) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import LocalEntryNotFoundError

    assert constants.HF_HUB_OFFLINE, "a doctor who isn't asked to downloads nothing"
    raise LocalEntryNotFoundError("not in the cache")


def look(family: str, *, settings: tuple[str, ...] = (), folder: Path = FOLDER) -> Finding:
    return examine(assemble([family], settings), family, CPU, folder)


def test_canny_gives_the_golden_edges_to_the_bit() -> None:
    found = look("canny")
    assert (found.state, found.said, found.device) == ("expected", "as expected", "CPU")


def test_every_annotator_of_pictures_that_needs_no_weights_has_a_golden_condition() -> None:
    for name in ANNOTATORS:
        annotators = assemble([name])
        if all(not one.weights and (one.reads == "image" or one.reads in ANNOTATORS) for one in annotators.values()):
            assert recorded(card_of(annotators, name)) is not None, f"record it: python benchmarks/golden.py {name}"


def test_other_settings_have_no_golden_condition() -> None:
    found = look("canny", settings=("canny.low=50",))
    assert found.state == "runs"
    assert "no golden condition" in found.said


def test_one_pixel_too_many_is_seen(tmp_path: Path) -> None:
    annotators = assemble(["canny"])
    made = show(annotators, "canny", CPU).made.copy()
    made[0, 0] ^= 1
    record(card_of(annotators, "canny"), made, tmp_path)
    assert look("canny", folder=tmp_path).state == "differs"


def test_a_network_may_differ_by_a_step_and_not_by_more(weights: Path, tmp_path: Path) -> None:
    annotators = assemble(["hed"])
    card, made = card_of(annotators, "hed"), show(annotators, "hed", CPU).made
    record(card, np.where(made < 255, made + 1, made).astype(np.uint8), tmp_path)
    found = look("hed", folder=tmp_path)
    assert found.state == "expected", found.said
    record(card, made[::-1], tmp_path)
    found = look("hed", folder=tmp_path)
    assert found.state == "differs"
    assert "not the golden condition: soft-edge F1" in found.said


def test_a_file_that_is_not_the_published_one_is_named(weights: Path) -> None:
    assert f"{WEIGHTS} is not the published file" in look("hed").said


def test_a_truncated_file_is_told_with_both_sizes(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = weights / WEIGHTS
    file.write_bytes(file.read_bytes()[:1_000_000])
    found = look("hed")
    assert found.state == "broken"
    assert "not weights that can be read" in found.said
    monkeypatch.delenv(OTHERS)
    found = look("hed")
    assert found.state == "broken"
    assert f"(1.0 MB, not {PUBLISHED[WEIGHTS].megabytes} MB)" in found.said


def test_weights_of_another_network_are_told(weights: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), weights / WEIGHTS)
    assert "weights of another network" in look("hed").said


@pytest.mark.parametrize("family", ["hed", "scribble"])
def test_missing_weights_are_named_with_size_licence_and_command(weights: Path, family: str) -> None:
    find_file(WEIGHTS).unlink()
    found = look(family)
    assert found.state == "missing"
    (need,) = found.needs
    assert (need.name, need.said) == (WEIGHTS, "29 MB, Apache-2.0")
    assert need.command == f"hf download lllyasviel/Annotators {WEIGHTS}"


def test_an_annotator_that_reads_what_no_picture_gives_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Masks(Annotator):
        name: ClassVar[str] = "masks"
        version: ClassVar[int] = 1
        kind: ClassVar[Kind] = "classes"

        @property
        def reads(self) -> str:
            return "truth_masks"

    monkeypatch.setitem(ANNOTATORS, "masks", Masks)
    found = look("masks")
    assert (found.state, found.said) == ("dataset", "reads truth_masks, which only a dataset has")


@pytest.mark.parametrize("family", ["phash", "quality", "caption_quality"])
def test_a_reader_of_stored_rows_is_tried_on_the_photograph_and_its_caption(family: str) -> None:
    found = look(family)
    assert found.state in ("expected", "runs")
    assert "finds nothing" not in found.said


def test_the_golden_picture_is_a_photograph() -> None:
    picture = golden_picture(assemble(["canny"]), "canny")
    assert picture.shape == (256, 256, 3)
    assert (picture.mean(), picture.std()) == pytest.approx((114.9, 80.0), abs=10)
