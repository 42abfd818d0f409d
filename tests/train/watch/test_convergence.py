import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from train.watch.convergence import find_rise
from train.watch.record import FILE
from train.watch.verdict import verdict

STEPS = np.arange(100, 6_001, 100)
ROWS = 32
TRIALS = 30
QUICK = 100  # replicates where many curves are tried


def logistic(steps: NDArray[np.int64], *, middle: float, scale: float) -> NDArray[np.float64]:
    """[S]: 20 and 80 % lie 1.39 scales before and after the middle."""
    return 0.5 * (1 + np.tanh((steps - middle) / (2 * scale)))


def rows_of(curve: NDArray[np.float64], *, noise: float, seed: int) -> NDArray[np.float64]:
    """[S, R]: rows that follow the curve, each as far as it can, with noise of their own."""
    generator = np.random.default_rng(seed)
    reach = generator.lognormal(0, 0.5, ROWS)
    return curve[:, None] * reach + generator.normal(0, noise, (len(curve), ROWS))


@pytest.mark.parametrize(("middle", "scale"), [(3_000, 200), (3_050, 20), (700, 60)])
@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_the_planted_steps_lie_in_their_intervals_about_as_often_as_promised(
    middle: float, scale: float, noise: float
) -> None:
    curve = logistic(STEPS, middle=middle, scale=scale)
    planted = (middle - scale * np.log(4), middle, middle + scale * np.log(4))
    hits = np.zeros(3)
    for seed in range(TRIALS):
        rise = find_rise(STEPS, rows_of(curve, noise=noise, seed=seed), replicates=QUICK)
        assert rise is not None
        found = (rise.early, rise.step, rise.late)
        hits += [each.low <= step <= each.high for each, step in zip(found, planted, strict=True)]
    assert (hits >= 0.8 * TRIALS).all(), hits  # of 95 % intervals: 28.5 of 30 expected, four standard deviations less


def test_intervals_narrow_with_the_noise_and_do_not_cover_everything() -> None:
    curve = logistic(STEPS, middle=3_000, scale=200)
    widths = []
    for noise in (0.05, 0.5, 2.0):
        rise = find_rise(STEPS, rows_of(curve, noise=noise, seed=0))
        assert rise is not None
        widths.append(rise.step.high - rise.step.low)
    assert widths == sorted(widths)
    assert widths[0] < 150


def test_a_steep_rise_is_sudden_and_a_ramp_is_not() -> None:
    steep = find_rise(STEPS, rows_of(logistic(STEPS, middle=3_000, scale=50), noise=0.2, seed=1))
    ramp = find_rise(STEPS, rows_of(STEPS / STEPS[-1], noise=0.2, seed=1))
    assert steep is not None
    assert steep.sudden
    assert ramp is not None
    assert not ramp.sudden
    assert ramp.step.low <= STEPS[-1] / 2 <= ramp.step.high


def test_flat_noise_is_no_control_yet_about_as_often_as_promised() -> None:
    found = [find_rise(STEPS, rows_of(np.zeros(len(STEPS)), noise=1.0, seed=seed), replicates=1) for seed in range(200)]
    assert sum(rise is not None for rise in found) <= 14  # of 5 expected, four standard deviations more


def test_an_effect_that_hurts_is_no_control() -> None:
    assert find_rise(STEPS, -rows_of(logistic(STEPS, middle=3_000, scale=50), noise=0.1, seed=0)) is None


def test_a_jump_at_the_last_look_lies_between_the_last_two() -> None:
    curve = np.zeros(len(STEPS))
    curve[-1] = 1.0
    rise = find_rise(STEPS, rows_of(curve, noise=0.02, seed=0))
    assert rise is not None
    assert (rise.step.low, rise.step.high) == (STEPS[-2], STEPS[-1])
    assert rise.level.low <= 1.2
    assert rise.sudden


def test_a_rise_before_the_first_look_lies_between_no_step_and_that_look() -> None:
    rise = find_rise(STEPS, rows_of(np.ones(len(STEPS)), noise=0.02, seed=0))
    assert rise is not None
    assert (rise.step.low, rise.step.high) == (0, STEPS[0])


def test_the_same_seed_gives_the_same_intervals() -> None:
    rows = rows_of(logistic(STEPS, middle=3_000, scale=200), noise=1.0, seed=0)
    assert find_rise(STEPS, rows) == find_rise(STEPS, rows)
    assert find_rise(STEPS, rows) != find_rise(STEPS, rows, seed=1)


def write_looks(run: Path, rows: NDArray[np.float64]) -> None:
    """A monitor's record in which the true hint is worth `rows`, [S, R], in every bin."""
    lines = []
    for step, effects in zip(STEPS.tolist(), rows, strict=True):
        losses = {"alone": 0.3, "control": 0.2, "shuffled": 0.2 + effects[:, None]}
        spread = {name: np.broadcast_to(value, (ROWS, 8)).tolist() for name, value in losses.items()}
        lines.append(json.dumps({"step": step, "keys": [f"row {row}" for row in range(ROWS)], **spread}))
    (run / FILE).write_text("".join(f"{line}\n" for line in lines))


def test_the_verdict_names_the_step_with_its_interval(tmp_path: Path) -> None:
    write_looks(tmp_path, rows_of(logistic(STEPS, middle=3_050, scale=5), noise=0.01, seed=0))
    assert verdict(tmp_path).startswith("control appeared at step 3,050 [3,000, 3,100], suddenly")


def test_the_verdict_on_a_run_without_effect_or_without_a_monitor_claims_nothing(tmp_path: Path) -> None:
    assert verdict(tmp_path) == ""
    write_looks(tmp_path, np.zeros((len(STEPS), ROWS)))
    assert verdict(tmp_path) == "no control yet after 6,000 steps"
