"""An evaluation is looked at, and its quality said: whatever is known, and of the rest where to get the weights."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from evaluate.anchors import CEILING, CONTROLLED, FLOOR, ORACLE
from evaluate.quality.aesthetic import PUBLISHED as AESTHETIC
from evaluate.quality.look import SCHEMA, find_quality
from evaluate.quality.quality import Line, quality_of
from evaluate.quality.seen import seen_of
from evaluate.second_look import look_again, read_drawn
from tests.evaluate.quality.untrained import small
from tests.evaluate.synthetic import write_evaluation


def silent(done: int, total: int) -> None:
    """Nobody watches."""


def by_measure(lines: tuple[Line, ...]) -> dict[str, Line]:
    return {line.measure.name: line for line in lines}


def test_an_evaluation_is_looked_at_and_what_is_absent_is_said(weights: Path, tmp_path: Path) -> None:
    write_evaluation(tmp_path / "evaluation", samples=10)
    table = pq.read_table(look_again(find_quality(small(weights)), tmp_path / "evaluation", progress=silent, actors=0))
    assert table.schema.equals(SCHEMA)
    assert len(table) == 10 * 4 * 3  # samples, arms, networks that are here
    lines = by_measure(quality_of(tmp_path / "evaluation"))
    assert {name for name, line in lines.items() if line.numbers.arms} == {"cmmd", "clip_score", "aesthetic"}
    for name in ("kid", "fid"):
        assert "Not computed: weights-inception" in lines[name].numbers.notes[0]
        assert "Download https://github.com/toshas" in lines[name].numbers.notes[0]
    cmmd = lines["cmmd"].numbers
    assert (cmmd.samples, set(cmmd.arms)) == (10, {FLOOR, CONTROLLED, CEILING})
    assert lines["clip_score"].name == "clip_score@weights/clip"
    scores = table.filter((pc.field("arm") == ORACLE) & (pc.field("network") == "clip"))["value"].to_pylist()
    assert lines["clip_score"].numbers.arms[ORACLE].value == pytest.approx(np.mean(scores))


def test_every_arm_is_seen_in_its_own_panel(weights: Path, tmp_path: Path) -> None:
    write_evaluation(tmp_path / "evaluation", samples=3)
    (file,) = (tmp_path / "evaluation/pictures").iterdir()
    drawn, networks = read_drawn(file), find_quality(small(weights))
    table = networks.load(torch.device("cpu"))(drawn)
    see = networks.networks.cmmd.load(torch.device("cpu"))
    for arm, panel in ((CONTROLLED, "drawn"), (FLOOR, "floor"), (CEILING, "ceiling"), (ORACLE, "real")):
        found = seen_of(table, network="cmmd", arm=arm)
        assert found.keys == drawn.keys
        assert found.features == pytest.approx(see(drawn.pictures[panel], drawn.captions).features, abs=1e-6)


def test_weights_that_come_later_are_not_mixed_with_what_was_seen_without_them(weights: Path, tmp_path: Path) -> None:
    before = find_quality(small(weights)).identity["networks"]
    (weights / AESTHETIC.file).unlink()
    after = find_quality(small(weights)).identity["networks"]
    assert before["aesthetic"]["absent"] == ""
    assert AESTHETIC.source in after["aesthetic"]["absent"]
    assert [name for name in before if before[name] != after[name]] == ["aesthetic"]


def test_without_a_look_it_is_said_what_to_do(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=2)
    with pytest.raises(ValueError, match="no quality was measured here"):
        quality_of(tmp_path)
