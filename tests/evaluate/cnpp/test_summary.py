"""A report's lines: our arms in the published unit, above the published rows and why they differ."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from evaluate.cnpp.look import Cnpp
from evaluate.cnpp.summary import Summary, as_lines, summarise
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


def test_lines_say_measure_arms_and_published_rows(summary: Summary) -> None:
    head, *lines = as_lines(summary)
    assert head == "canny_f1@cnpp (share, 0 to 1, times 100; higher is better), 6 prompts"
    assert lines[3].startswith("oracle: 100 [100, 100]")
    (controlnet,) = (line for line in lines if line.startswith("ControlNet (SD1.5): "))
    assert controlnet.startswith("ControlNet (SD1.5): 34.65, read; base: train/tiny_base/model, published: stable-diff")


def test_what_holds_for_all_published_rows_is_said_once(summary: Summary) -> None:
    text = "\n".join(as_lines(summary))
    assert len([why for why in summary.shared if "kornia's edges" in why]) == 1
    assert all(text.count(why) == 1 for why in summary.shared)


def test_a_look_that_was_not_taken_is_said(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=2)
    with pytest.raises(ValueError, match="the look 'cnpp' was not taken"):
        summarise(tmp_path)
