"""Discrepancies are those of torch-fidelity and torchmetrics, hold their intervals, and know what belongs together."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch_fidelity.metric_kid import mmd2, polynomial_kernel
from torchmetrics.image.kid import poly_mmd

from evaluate.quality import discrepancy
from evaluate.quality.discrepancy import SIGMA, Kernel, between, cubic, gaussian, halves, terms_of, unbiased
from evaluate.statistics import Array, Statistic, bootstrap, interval
from tests.evaluate.quality.made_up import Features, seen


def made(kernel: Kernel, drawn: Features, real: Features) -> Array:
    """Terms of samples [N, D, F]."""
    return terms_of(seen(drawn), seen(real), kernel, among_real=between(seen(real), seen(real), kernel))


def of_all(statistic: Statistic, samples: int) -> float:
    return float(statistic(np.ones((1, samples)))[0])


def resampled(statistic: Statistic, samples: int, *, seed: int = 0) -> tuple[float, Array]:
    """An estimate, and that of 300 resamples."""
    value, replicates = bootstrap(statistic, samples, replicates=300, seed=seed)
    return float(value), replicates


def pictures(samples: int, draws: int = 1, *, width: int = 16, seed: int = 0) -> Features:
    return np.random.default_rng(seed).normal(size=(samples, draws, width)).astype(np.float32).astype(np.float64)


def normal_discrepancy(apart: float, spread: float, width: int) -> float:
    """The squared discrepancy of two normal distributions of one spread, means `apart`, under CMMD's kernel."""
    wide = SIGMA**2 + 2 * spread**2
    return 2 * (SIGMA**2 / wide) ** (width / 2) * (1 - np.exp(-(apart**2) / (2 * wide)))


def test_kid_is_torch_fidelitys_u_statistic() -> None:
    drawn, real = pictures(40, seed=1) + 0.3, pictures(40)
    one, other = drawn[:, 0].astype(np.float32), real[:, 0].astype(np.float32)
    kernels = [polynomial_kernel(*pair) for pair in ((one, one), (one, other), (other, other))]
    theirs = mmd2(*kernels, mmd_est="u-statistic")
    assert of_all(unbiased(made(cubic, drawn, real)), 40) == pytest.approx(theirs, rel=1e-4)


def test_kid_is_torchmetrics_but_for_the_pairs_of_a_picture_and_its_own_real_one() -> None:
    drawn, real = pictures(40, seed=1) + 0.3, pictures(40)
    theirs = poly_mmd(torch.from_numpy(real[:, 0]), torch.from_numpy(drawn[:, 0])).item()
    across = cubic(drawn[:, 0], real[:, 0])
    strangers = (across.sum() - np.trace(across)) / (40 * 39)
    assert of_all(unbiased(made(cubic, drawn, real)), 40) == pytest.approx(theirs + 2 * (across.mean() - strangers))


def test_cmmd_as_a_v_statistic_is_that_of_all_pictures_at_once() -> None:
    drawn, real = pictures(30, 3, seed=1) + 0.3, pictures(30)
    one, other = drawn.reshape(90, -1), np.repeat(real, 3, axis=1).reshape(90, -1)
    apart = [cdist(*pair, "sqeuclidean") for pair in ((one, one), (one, other), (other, other))]
    kernels = [np.exp(-each / (2 * SIGMA**2)) for each in apart]
    assert made(gaussian, drawn, real).mean() == pytest.approx(mmd2(*kernels, mmd_est="biased"))


def test_real_pictures_do_not_differ_from_themselves() -> None:
    real = pictures(20)
    assert np.abs(made(cubic, real, real)).max() < 1e-12


def test_copies_of_the_real_pictures_are_no_nearer_than_others_of_their_kind() -> None:
    """Drawn anew with noise, so that each is like its own real one; the usual estimator takes that for quality."""
    found, usual = [], []
    for seed in range(200):
        motif, noise = pictures(30, seed=seed), pictures(60, seed=1_000 + seed)
        drawn, real = motif + 0.3 * noise[:30], motif + 0.3 * noise[30:]
        found.append(of_all(unbiased(made(cubic, drawn, real)), 30))
        usual.append(poly_mmd(torch.from_numpy(real[:, 0]), torch.from_numpy(drawn[:, 0])).item())
    error = np.std(found) / len(found) ** 0.5
    assert abs(np.mean(found)) < 3 * error
    assert np.mean(usual) < -20 * error


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered, truth = 0, normal_discrepancy(4.0, 5.0, 4)
    for experiment in range(300):
        generator = np.random.default_rng(experiment)
        drawn, real = (generator.normal(0, 5.0, (80, 1, 4)) for _ in range(2))
        statistic = unbiased(made(gaussian, drawn + 2.0, real))  # 4 sides of 2: 4 apart
        found = interval(*resampled(statistic, 80, seed=experiment))
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / 300 <= 0.98


def test_where_nothing_differs_an_interval_holds_0_at_least_as_often_as_it_says() -> None:
    covered = 0
    for experiment in range(200):
        generator = np.random.default_rng(experiment)
        drawn, real = (generator.normal(0, 5.0, (80, 1, 4)) for _ in range(2))
        found = interval(*resampled(unbiased(made(gaussian, drawn, real)), 80, seed=experiment))
        covered += found.low <= 0 <= found.high
    assert covered / 200 >= 0.95


def test_more_draws_of_the_same_samples_are_not_more_samples() -> None:
    drawn, real = pictures(30, seed=1) + 0.3, pictures(30)
    once = resampled(unbiased(made(cubic, drawn, real)), 30)
    fourfold = resampled(unbiased(made(cubic, np.repeat(drawn, 4, axis=1), real)), 30)
    assert fourfold[0] == pytest.approx(once[0])
    assert fourfold[1] == pytest.approx(once[1])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, real = pictures(30, 2, seed=1), pictures(30)
    whole = made(gaussian, drawn, real)
    monkeypatch.setattr(discrepancy, "ROWS", 7)
    assert made(gaussian, drawn, real) == pytest.approx(whole, abs=1e-12)


def test_a_resample_of_one_sample_alone_has_no_discrepancy() -> None:
    assert np.isnan(unbiased(np.eye(2))(np.array([[2.0, 0.0]]))).all()


def test_halves_of_one_kind_spread_around_0_as_two_sets_of_that_kind_do() -> None:
    real = seen(pictures(60))
    found = halves(between(real, real, gaussian), splits=500, seed=0)
    others = [
        of_all(unbiased(made(gaussian, pictures(30, seed=seed), pictures(30, seed=1_000 + seed))), 30)
        for seed in range(300)
    ]
    assert abs(found.mean()) < 4 * found.std() / 500**0.5
    assert found.std() == pytest.approx(np.std(others), rel=0.25)
