"""A report's lines: our arms in the published unit, above the published rows and why they differ."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from evaluate.cnpp.look import Cnpp
from evaluate.cnpp.summary import Summary, summarise
from evaluate.second_look import read_drawn
from tests.evaluate.synthetic import write_evaluation


def take(folder: Path) -> None:
    """The look as `evaluate.second_look.look_again` leaves it, without Ray."""
    look = Cnpp("canny")
    (folder / "cnpp").mkdir()
    (folder / "cnpp/look.json").write_text(json.dumps(look.identity))
    table = look.load(torch.device("cpu"))(read_drawn(folder / "pictures/000000.parquet"))
    pq.write_table(table, folder / "cnpp.parquet")


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    folder = tmp_path_factory.mktemp("evaluation")
    write_evaluation(folder, samples=6)
    take(folder)
    return summarise(folder)


def test_arms_stand_in_the_published_unit_with_intervals(summary: Summary) -> None:
    assert list(summary.arms) == ["floor", "controlled", "ceiling", "oracle"]
    assert summary.arms["oracle"].value == 100
    controlled = summary.arms["controlled"]
    assert 0 < controlled.low < controlled.value < controlled.high < 100


def test_every_published_row_says_why_it_may_not_stand_beside_ours(summary: Summary) -> None:
    assert len(summary.beside) == 7
    assert all(beside.why_not for beside in summary.beside)


def test_a_published_row_says_once_what_holds_for_all(summary: Summary) -> None:
    assert (summary.measure.name, summary.factor, summary.samples) == ("canny_f1@cnpp", 100, 6)
    (controlnet,) = (each for each in summary.beside if each.published.method == "ControlNet (SD1.5)")
    assert (controlnet.published.value, controlnet.published.evidence) == (34.65, "read")
    assert any(why.startswith("base: train/tiny_base/model, published: stable-diff") for why in controlnet.why_not)
    assert len([why for why in summary.shared if "kornia's edges" in why]) == 1


def test_a_look_that_was_not_taken_is_said(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=2)
    with pytest.raises(ValueError, match="the look 'cnpp' was not taken"):
        summarise(tmp_path)
