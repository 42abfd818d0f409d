import json
from pathlib import Path

import pytest

from train.watch.course import Course, read_course, reason_to_stop
from train.watch.observe import OBSERVED_FILE

NAME = "probe/f1_1px"


def course(*scores: float, higher_is_better: bool = True) -> Course:
    return Course(tuple((10 * (place + 1), score) for place, score in enumerate(scores)), higher_is_better)


def test_the_last_score_is_the_best_only_if_it_beats_all_before_it() -> None:
    assert course(0.1).ends_in_best
    assert course(0.1, 0.3, 0.4).ends_in_best
    assert not course(0.1, 0.4, 0.3).ends_in_best
    assert not course(0.1, 0.4, 0.4).ends_in_best
    assert course(0.4, 0.2, higher_is_better=False).ends_in_best
    assert not course(0.4, 0.5, higher_is_better=False).ends_in_best
    assert not course().ends_in_best


def test_training_ends_after_so_many_scores_without_a_better_one() -> None:
    scores = (0.1, 0.5, 0.4, 0.5, 0.3)
    reasons = [reason_to_stop(course(*scores[:count]), measure="f1", patience=3) for count in range(1, 6)]
    assert reasons[:4] == ["", "", "", ""]
    assert reasons[4] == "3 probes without a better f1 than 0.5000, that of step 20"
    assert reason_to_stop(course(*scores), measure="f1", patience=None) == ""
    assert reason_to_stop(course(0.5, 0.6, 0.7, higher_is_better=False), measure="rmse", patience=2) != ""


def test_a_course_is_read_from_what_the_run_observed_whatever_else_is_in_there(tmp_path: Path) -> None:
    assert read_course(tmp_path, NAME, higher_is_better=True).scores == ()
    lines = [
        {"step": 5, "control/gain": 0.1},
        {"step": 10, NAME: 0.2, "warnings": ["drift"]},
        {"step": 10, "control/gain": 0.3},
        {"step": 20, NAME: 0.1},
    ]
    (tmp_path / OBSERVED_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_course(tmp_path, NAME, higher_is_better=True).scores == ((10, 0.2), (20, 0.1))


@pytest.mark.parametrize("step", [15, 20])
def test_a_run_that_goes_on_from_before_forgets_what_came_after(step: int) -> None:
    before = course(0.1, 0.9)
    assert before.then(step, 0.2).scores == ((10, 0.1), (step, 0.2))
    assert before.then(step, 0.2).ends_in_best
