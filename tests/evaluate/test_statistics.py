import itertools

import numpy as np
import pytest
from scipy.stats import norm

from evaluate import statistics
from evaluate.statistics import (
    Array,
    Statistic,
    bootstrap,
    detectable,
    holm,
    interval,
    normalised,
    randomised,
    resamples,
    two_sided,
)


def mean_of(scores: Array) -> Statistic:
    """Means of the columns of [N, K]."""
    return lambda weights: weights @ scores / weights.sum(axis=1, keepdims=True)


def difference_of(one: Array, other: Array) -> Statistic:
    """The mean of two runs' scores [N] each, as `randomised` takes it."""
    scores = np.concatenate([one, other])
    return lambda weights: weights @ scores / weights.sum(axis=1)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for experiment in range(1_000):
        scores = generator.beta(2, 5, (200, 1))  # skewed, as F1 is; its mean is 2/7
        value, replicates = bootstrap(mean_of(scores), 200, replicates=400, seed=experiment)
        found = interval(float(value[0]), replicates[:, 0])
        covered += found.low <= 2 / 7 <= found.high
    assert 0.93 <= covered / 1_000 <= 0.97


def test_an_interval_holds_its_estimate_and_narrows_with_more_samples() -> None:
    generator = np.random.default_rng(1)
    widths = []
    for samples in (50, 5_000):
        value, replicates = bootstrap(mean_of(generator.random((samples, 1))), samples, replicates=500)
        found = interval(float(value[0]), replicates[:, 0])
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.3)  # the square root of 100


def test_arms_are_resampled_together() -> None:
    hard = np.random.default_rng(2).random((60, 1))
    _, means = bootstrap(mean_of(np.concatenate([hard, hard + 0.1], axis=1)), 60, replicates=200)
    assert np.ptp(means[:, 0]) > 0.05
    assert means[:, 1] - means[:, 0] == pytest.approx(0.1)


def test_the_same_seed_draws_the_same_samples_however_they_are_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(seed: int) -> Array:
        return np.concatenate(list(resamples(40, replicates=20, seed=seed)))

    whole = drawn(0)
    assert (whole.sum(axis=1) == 40).all()
    assert not np.array_equal(whole, drawn(1))
    monkeypatch.setattr(statistics, "BLOCK", 40 * 3)
    assert np.array_equal(whole, drawn(0))


def test_the_floor_is_zero_and_the_ceiling_one_in_either_direction() -> None:
    score = np.array([0.2, 0.5, 0.8])
    assert normalised(score, floor=np.full(3, 0.2), ceiling=np.full(3, 0.8)) == pytest.approx([0, 0.5, 1])
    errors = np.array([40.0, 25.0, 10.0])
    found = normalised(errors, floor=np.full(3, 40.0), ceiling=np.full(3, 10.0), higher_is_better=False)
    assert found == pytest.approx([0, 0.5, 1])


def test_no_normalised_score_where_floor_and_ceiling_meet() -> None:
    share = normalised(np.array(0.5), floor=np.array(0.3), ceiling=np.array(0.3))
    assert np.isnan(share)
    assert np.isnan(normalised(np.array(0.25), floor=np.array(0.30), ceiling=np.array(0.28)))  # nor where they cross
    assert np.isnan(interval(float(share), np.array([0.1, 0.2])).low)
    assert np.isnan(interval(0.5, np.array([0.1, np.nan])).value)  # undefined on half of the resamples: undefined


def test_a_resample_without_a_value_may_lie_anywhere() -> None:
    values = np.random.default_rng(3).normal(size=400)
    whole, some = interval(0.0, values), np.where(np.arange(400) < 4, np.nan, values)
    found = interval(0.0, some)
    assert found.low < whole.low < whole.high < found.high
    assert (found.low, found.high) == pytest.approx((whole.low, whole.high), abs=0.4)
    assert np.isnan(interval(0.0, np.where(np.arange(400) < 10, np.nan, values)).value)  # one in forty
    assert two_sided(np.array([np.nan] + [1.0] * 399)) == pytest.approx(2 * 2 / 401)


def test_p_is_that_of_all_exchanges_that_there_are() -> None:
    generator = np.random.default_rng(4)
    one, other = generator.random(9), generator.random(9) + 0.15
    signs = np.array(list(itertools.product((1, -1), repeat=9)))
    exact = np.mean(np.abs(signs @ (one - other)) >= abs((one - other).sum()) - 1e-12)
    found, p = randomised(difference_of(one, other), 9, replicates=20_000)
    assert found == pytest.approx((one - other).mean())
    assert p == pytest.approx(exact, abs=0.012)


def test_two_runs_of_one_model_are_called_different_about_one_time_in_twenty() -> None:
    generator = np.random.default_rng(5)
    tests = []
    for experiment in range(400):
        hard = generator.random(60)  # some samples are hard for both
        one, other = (hard + generator.normal(0, 0.1, 60) for _ in range(2))
        tests.append(randomised(difference_of(one, other), 60, replicates=200, seed=experiment)[1])
    assert 0.02 <= np.mean(np.array(tests) <= 0.05) <= 0.08


def test_holms_correction_is_that_of_a_case_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1, 1])


def test_what_is_called_detectable_is_found_four_times_in_five() -> None:
    generator = np.random.default_rng(6)
    noise = generator.normal(0, 0.1, (100, 1))
    least = detectable(bootstrap(mean_of(noise), 100)[1][:, 0])
    found = 0
    for experiment in range(300):
        scores = generator.normal(least, 0.1, (100, 1))
        value, replicates = bootstrap(mean_of(scores), 100, replicates=200, seed=experiment)
        found += interval(float(value[0]), replicates[:, 0]).low > 0
    assert found / 300 == pytest.approx(0.8, abs=0.1)


def test_what_is_called_detectable_among_many_tests_is_found_after_their_correction() -> None:
    generator, tests = np.random.default_rng(7), 20
    noise = generator.normal(0, 1, (100, 1))
    least = detectable(bootstrap(mean_of(0.1 * noise / noise.std()), 100)[1][:, 0], tests=tests)
    others, found = np.full(tests - 1, 0.5), 0
    for _ in range(300):
        scores = generator.normal(least, 0.1, 100)
        p = 2 * norm.sf(abs(scores.mean()) / (scores.std(ddof=1) / 10))
        found += holm(np.append(others, p))[-1] <= 0.05
    assert found / 300 == pytest.approx(0.8, abs=0.1)
