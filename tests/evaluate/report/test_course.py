import json
from pathlib import Path

import numpy as np
import pytest

from evaluate.report.course import keep_course, read_control_course, worst_look
from evaluate.report.report import write_report
from tests.evaluate.synthetic import write_evaluation
from train.watch.record import Record


def monitored(run: Path, *, appears: int, harm: float = 0.0, seed: int = 0) -> None:
    """A run whose control is worth something from a step on, and does harm at step 40."""
    run.mkdir()
    record, generator = Record(run), np.random.default_rng(seed)
    keys = [f"{row:02d}" for row in range(12)]
    for step in range(0, 400, 20):
        noise = generator.normal(0, 0.002, (3, 12, 8))
        worth = 0.05 / (1 + np.exp(-(step - appears) / 8)) - harm * (step == 40)
        losses = {"alone": 0.2 + noise[0], "control": 0.2 - worth + noise[1], "shuffled": 0.2 + noise[2]}
        record.write(step, keys, losses)


def test_a_report_shows_when_the_control_appeared(tmp_path: Path) -> None:
    monitored(tmp_path / "run", appears=200)
    write_evaluation(tmp_path / "evaluation", samples=8)
    keep_course(tmp_path / "run", tmp_path / "evaluation")
    page = write_report(tmp_path / "evaluation").read_text()
    assert "When the control appeared" in page
    said = json.loads((tmp_path / "evaluation" / "report.json").read_text())["course"]
    assert said.startswith("control appeared at step ")
    assert int(said.split()[4]) == pytest.approx(200, abs=25)


def test_bands_hold_what_was_planted(tmp_path: Path) -> None:
    monitored(tmp_path / "run", appears=200)
    seen = read_control_course(tmp_path / "run")
    assert seen is not None
    value, low, high = seen.hint[-1]
    assert low < value < high
    assert low <= 0.05 <= high
    assert seen.hint[0, 1] < 0.005


def test_a_run_that_nobody_monitored_has_no_course(tmp_path: Path) -> None:
    assert read_control_course(tmp_path) is None


def test_early_damage_to_the_base_is_found_at_its_step(tmp_path: Path) -> None:
    runs = [tmp_path / str(repeat) for repeat in range(2)]
    for run, harm in zip(runs, (0.01, 0.03), strict=True):
        monitored(run, appears=200, harm=harm)
    worst = worst_look(runs)
    assert worst is not None
    assert worst.step == 40
    assert worst.worth.low < worst.worth.value < worst.worth.high < 0
    assert worst.worth.value == pytest.approx(-0.02 / 0.2, abs=0.01)
    assert worst_look([tmp_path]) is None


def test_of_twenty_looks_at_a_harmless_control_the_worst_is_no_damage(tmp_path: Path) -> None:
    found = []
    for seed in range(20):
        monitored(tmp_path / str(seed), appears=2_000, seed=seed)
        found.append(worst_look([tmp_path / str(seed)]))
    assert sum(worst is not None and worst.worth.low < 0 < worst.worth.high for worst in found) >= 17
