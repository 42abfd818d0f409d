import numpy as np
import pytest

from evaluate.studies.scaling import Runs, Scaling, aicc, scaling_of, verdict

TRUTH = {"c": 38.0, "a": 60.0, "b": 0.35}  # y = c - a n^-b, the case of the research notes
NOISE = 0.5  # between runs of one size
EIGHT = [300, 1_000, 3_000, 10_000, 30_000, 50_000, 100_000, 200_000]
FOUR = [1_000, 10_000, 50_000, 200_000]


def planted(sizes: list[int], *, runs: int, seed: int, noise: float = NOISE) -> Runs:
    """Runs along the planted law, scored on samples that add a little noise of their own to every resample."""
    generator = np.random.default_rng(seed)
    each = np.repeat(np.array(sizes, np.float64), runs)
    scores = TRUTH["c"] - TRUTH["a"] * each ** -TRUTH["b"] + generator.normal(0, noise, len(each))
    return Runs(each, scores, scores + generator.normal(0, 0.15, (400, len(each))))


def holds(scaling: Scaling, place: int, truth: float) -> bool:
    parameter = next(fit for fit in scaling.fits if fit.form.name == "power law").parameters[place]
    return bool(parameter.low <= truth <= parameter.high)


def test_a_planted_law_lies_within_its_own_intervals() -> None:
    found = [scaling_of(planted(EIGHT, runs=3, seed=seed)) for seed in range(60)]
    for place, name in enumerate("cab"):
        assert np.mean([holds(one, place, TRUTH[name]) for one in found]) >= 0.88, name
    assert np.mean([one.best.form.name == "power law" for one in found]) > 0.9


def test_the_pairs_that_a_score_takes_lie_within_their_interval() -> None:
    needed = (60 / 3) ** (1 / 0.35)  # of 35
    found = [scaling_of(planted(EIGHT, runs=3, seed=seed)).pairs_for(35.0) for seed in range(60)]
    known = [one for one in found if one is not None]
    assert len(known) > 50
    assert np.mean([one.low <= needed <= one.high for one in known]) >= 0.88


def test_four_sizes_trained_once_cannot_say_how_many_pairs_come_near_the_end_of_the_law() -> None:
    found = [scaling_of(planted(FOUR, runs=1, seed=seed)) for seed in range(20)]
    assert all(one.between_runs is None for one in found)
    named = [one.pairs_for(37.9) for one in found]
    assert sum(one is None for one in named) >= 18
    assert "not identifiable from these sizes" in verdict(found[named.index(None)], target=37.9)


def test_a_score_that_does_not_grow_is_a_plateau_and_names_no_number() -> None:
    generator = np.random.default_rng(0)
    sizes = np.repeat(np.array(EIGHT, np.float64), 3)
    scores = 0.7 + generator.normal(0, 0.02, len(sizes))
    flat = scaling_of(Runs(sizes, scores, scores + generator.normal(0, 0.01, (300, len(sizes)))))
    assert flat.best.form.name == "plateau"
    assert flat.pairs_for(0.75) is None
    assert "not identifiable" in verdict(flat, target=0.75)
    assert verdict(flat, target=0.6) == "300 pairs, the fewest tried, surely reach 0.6 already."


def test_interpolation_never_falls_and_passes_between_the_sizes() -> None:
    scaling = scaling_of(planted(EIGHT, runs=2, seed=1, noise=2.0))
    curve = scaling.monotone(np.geomspace(300, 200_000, 200))
    assert (np.diff(curve) >= -1e-9).all()
    assert np.isnan(scaling.monotone(np.array([299.0]))).all()


def test_the_band_holds_the_curve_and_a_gain_a_doubling_is_that_between_two_sizes() -> None:
    scaling = scaling_of(planted(EIGHT, runs=3, seed=2))
    value, low, high = scaling.best.curve(np.array([1_000.0, 100_000.0]))
    assert (low < value).all()
    assert (value < high).all()
    first, second = scaling.means[:2]
    assert scaling.per_doubling[0].value == pytest.approx((second.value - first.value) / np.log2(1_000 / 300))


def test_aicc_is_that_of_a_case_by_hand() -> None:
    assert aicc(2.0, 10, 3) == pytest.approx(10 * np.log(0.2) + 6 + 2 * 3 * 4 / 6)
    assert aicc(2.0, 4, 3) == np.inf


def test_two_sizes_are_no_curve() -> None:
    with pytest.raises(ValueError, match="2 sizes say nothing of a curve"):
        scaling_of(planted([100, 1_000], runs=3, seed=0))
