"""The look "cnpp" judges four arms of an evaluation's pictures, and says by whom."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from annotate.weights import VARIABLE
from evaluate.cnpp.look import Cnpp
from evaluate.cnpp.registry import RULES
from evaluate.cnpp.segmentation import MODEL
from evaluate.measured import measure_all
from evaluate.scores import SCHEMA
from evaluate.second_look import Look, read_drawn
from tests.annotate import random_models
from tests.evaluate.synthetic import write_evaluation

ARMS = ("floor", "controlled", "ceiling", "oracle")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    write_evaluation(folder, samples=5)
    return folder / "pictures/000000.parquet"


@pytest.fixture(scope="module")
def rows(pictures: Path) -> pa.Table:
    look: Look = Cnpp("canny")
    return look.load(CPU)(read_drawn(pictures))


def test_every_picture_has_a_score_in_four_arms(rows: pa.Table) -> None:
    assert rows.schema == SCHEMA
    assert len(rows) == 5 * len(ARMS)
    assert set(rows["measure"].to_pylist()) == {"canny_f1@cnpp"}
    assert rows["seed"].null_count == len(rows)


def test_the_real_picture_is_perfect_and_no_control_is_worst(rows: pa.Table) -> None:
    floor, controlled, ceiling, oracle = measure_all(rows, RULES["canny"].measure, ARMS).value
    assert oracle == 1
    assert floor < controlled < ceiling


def test_a_file_without_pictures_gives_no_rows(pictures: Path) -> None:
    drawn = read_drawn(pictures)
    empty = type(drawn)([], [], [], {})
    assert Cnpp("canny").load(CPU)(empty).schema == SCHEMA


def test_a_condition_that_controlnet_plus_plus_does_not_measure_is_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match=r"measures nothing of 'mlsd' \(but of canny, hed, softedge, lineart, depth, seg"
    ):
        Cnpp("mlsd")


def test_all_its_numbers_depend_on_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / MODEL
    folder.parent.mkdir()
    random_models.mask2former(folder)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    identity = Cnpp("segmentation").identity
    assert {weights["source"] for weights in identity["weights"]} == {MODEL}
    assert [each for each in identity["weights"] if each["file"] == "model.safetensors"]
    assert identity["measure"] == "seg_miou@cnpp-ade"
    assert set(Cnpp("canny").identity["packages"]) == {"kornia"}


def test_soft_edges_of_either_annotator_are_judged_by_hed() -> None:
    assert RULES["softedge"] is RULES["hed"]


def test_every_measure_is_named_after_its_profile_and_has_its_direction() -> None:
    found = {rules.measure.name: rules.measure.higher_is_better for rules in RULES.values()}
    assert all("@cnpp" in name for name in found)
    assert [name for name, higher in found.items() if not higher] == ["depth_rmse@cnpp"]


def test_classes_are_asked_for_by_their_hints_and_edges_by_the_real_picture(playrooms: np.ndarray) -> None:
    judge = RULES["canny"].load(CPU)
    found = judge.find(playrooms)
    assert judge.ask(np.zeros_like(playrooms), found) is found
