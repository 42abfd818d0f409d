import numpy as np
import pytest

from evaluate.statistics import interval, normalised, resampled_means


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for experiment in range(300):
        scores = generator.beta(2, 5, (80, 1))  # skewed, as F1 is; its mean is 2/7
        found = interval(float(scores.mean()), resampled_means(scores, replicates=300, seed=experiment)[:, 0])
        covered += found.low <= 2 / 7 <= found.high
    assert 0.90 <= covered / 300 <= 0.98


def test_an_interval_holds_its_estimate_and_narrows_with_more_samples() -> None:
    generator = np.random.default_rng(1)
    widths = []
    for samples in (50, 5_000):
        scores = generator.random((samples, 1))
        found = interval(float(scores.mean()), resampled_means(scores, replicates=500)[:, 0])
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.3)  # the square root of 100


def test_arms_are_resampled_together() -> None:
    hard = np.random.default_rng(2).random((60, 1))
    means = resampled_means(np.concatenate([hard, hard + 0.1], axis=1), replicates=200)
    assert np.ptp(means[:, 0]) > 0.05
    assert means[:, 1] - means[:, 0] == pytest.approx(0.1)


def test_the_same_seed_draws_the_same_samples() -> None:
    scores = np.random.default_rng(3).random((40, 2))
    assert np.array_equal(resampled_means(scores, replicates=20), resampled_means(scores, replicates=20))
    assert not np.array_equal(resampled_means(scores, replicates=20), resampled_means(scores, replicates=20, seed=1))


def test_the_floor_is_zero_and_the_ceiling_one_in_either_direction() -> None:
    score = np.array([0.2, 0.5, 0.8])
    assert normalised(score, floor=np.full(3, 0.2), ceiling=np.full(3, 0.8)) == pytest.approx([0, 0.5, 1])
    errors = np.array([40.0, 25.0, 10.0])
    assert normalised(errors, floor=np.full(3, 40.0), ceiling=np.full(3, 10.0)) == pytest.approx([0, 0.5, 1])


def test_no_normalised_score_where_floor_and_ceiling_meet() -> None:
    share = normalised(np.array(0.5), floor=np.array(0.3), ceiling=np.array(0.3))
    assert np.isnan(share)
    assert np.isnan(interval(float(share), np.array([0.1, 0.2])).low)
    assert np.isnan(interval(0.5, np.array([0.1, np.nan])).value)  # undefined on some resample: undefined
