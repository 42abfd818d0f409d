from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluate.page.plot import Along, Point, curve
from evaluate.statistics import Interval
from evaluate.studies.page import _fitted
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


def fixed(score: float, scaling: Scaling) -> NDArray[np.float64]:
    """A score that is the same in every resample."""
    return np.full(len(scaling.tables), score)


def holds(scaling: Scaling, place: int, truth: float) -> bool:
    parameter = next(fit for fit in scaling.fits if fit.form.name == "power law").parameters[place]
    return bool(parameter.low <= truth <= parameter.high)


def test_a_planted_law_lies_within_its_own_intervals() -> None:
    found = [scaling_of(planted(EIGHT, runs=3, seed=seed)) for seed in range(60)]
    for place, name in enumerate("cab"):
        assert np.mean([holds(one, place, TRUTH[name]) for one in found]) >= 0.88, name
    assert np.mean([one.best.form.name == "power law" for one in found]) > 0.9


def test_the_pairs_that_a_score_takes_lie_within_their_interval() -> None:
    truth = (60 / 3) ** (1 / 0.35)  # of 35
    scalings = [scaling_of(planted(EIGHT, runs=3, seed=seed)) for seed in range(60)]
    known = [needed for one in scalings if (needed := one.pairs_for(fixed(35.0, one))) is not None]
    assert len(known) > 50
    assert np.mean([one.low <= truth <= one.high for one in known]) >= 0.88


def test_four_sizes_trained_once_cannot_say_how_many_pairs_come_near_the_end_of_the_law() -> None:
    found = [scaling_of(planted(FOUR, runs=1, seed=seed)) for seed in range(20)]
    for one in found:
        assert one.best is None, "a law of three parameters through four points leaves nothing to judge it by"
        said = verdict(one, targets=fixed(37.9, one))
        assert said.endswith("is not identifiable from these sizes (too few trainings to compare forms).")


def test_a_score_that_does_not_grow_is_a_plateau_and_names_no_number() -> None:
    generator = np.random.default_rng(0)
    sizes = np.repeat(np.array(EIGHT, np.float64), 3)
    scores = 0.7 + generator.normal(0, 0.02, len(sizes))
    flat = scaling_of(Runs(sizes, scores, scores + generator.normal(0, 0.01, (300, len(sizes)))))
    assert flat.best is not None
    assert flat.best.form.name == "plateau"
    assert flat.pairs_for(fixed(0.75, flat)) is None
    assert "not identifiable" in verdict(flat, targets=fixed(0.75, flat))
    assert verdict(flat, targets=fixed(0.6, flat)) == "300 pairs, the fewest tried, surely reach 0.6 already."


def test_a_target_that_is_estimated_itself_is_reached_less_surely() -> None:
    generator = np.random.default_rng(0)
    sizes = np.repeat(np.array([100.0, 1_000.0, 10_000.0]), 3)
    scores = np.repeat([0.63, 0.65, 0.65], 3) + np.tile([-0.05, 0.0, 0.05], 3)
    scaling = scaling_of(Runs(sizes, scores, scores + generator.normal(0, 0.01, (2_000, len(sizes)))))
    nine_tenths = 0.9 * scaling.tables[:, -1]
    low = np.quantile(scaling.tables[1:, 0], 0.025)
    assert scaling.start_reaches(fixed(float(low), scaling))
    assert not scaling.start_reaches(np.concatenate([[low], nine_tenths[1:] + low - nine_tenths[0]]))


def test_a_size_with_fewer_trainings_weighs_less() -> None:
    sizes = np.array([100.0, 100.0, 100.0, 1_000.0, 10_000.0, 10_000.0, 10_000.0])
    scores = np.array([0.5, 0.5, 0.5, 0.9, 0.5, 0.5, 0.5])
    plateau = next(fit for fit in scaling_of(Runs(sizes, scores, scores[None])).fits if fit.form.name == "plateau")
    assert plateau.parameters[0].value == pytest.approx(scores.mean())


def test_interpolation_never_falls_and_passes_between_the_sizes() -> None:
    scaling = scaling_of(planted(EIGHT, runs=2, seed=1, noise=2.0))
    curve = scaling.rising(np.geomspace(300, 200_000, 200))
    assert (np.diff(curve) >= -1e-9).all()
    assert np.isnan(scaling.rising(np.array([299.0]))).all()


def test_the_figure_shows_the_interpolation_beside_the_best_form() -> None:
    scaling = scaling_of(planted(EIGHT, runs=2, seed=1, noise=2.0))
    shown = _fitted(scaling)
    assert shown is not None
    assert shown.rising is not None
    assert np.isfinite(shown.rising).all(), "from the smallest size to the largest"
    points = [Point(float(size), Interval(0.5, 0.4, 0.6), str(size)) for size in scaling.sizes]
    ends = {point.x: 0.0 for point in points}, {point.x: 1.0 for point in points}
    drawn = [
        curve(points, floor=ends[0], ceiling=ends[1], along=Along("rows", logarithmic=True), unit="", fitted=fitted)
        for fitted in (shown, replace(shown, rising=None))
    ]
    assert [page.count("never falling") for page in drawn] == [1, 0]
    assert [page.count("<polyline") for page in drawn] == [4, 3]


def test_the_band_holds_the_curve_and_a_gain_a_doubling_is_that_between_two_sizes() -> None:
    scaling = scaling_of(planted(EIGHT, runs=3, seed=2))
    assert scaling.best is not None
    value, low, high = scaling.best.curve(np.array([1_000.0, 100_000.0]))
    assert (low < value).all()
    assert (value < high).all()
    first, second = scaling.tables[0, :2]
    assert scaling.per_doubling[0].value == pytest.approx((second - first) / np.log2(1_000 / 300))


def test_aicc_is_that_of_a_case_by_hand() -> None:
    assert aicc(2.0, 10, 3) == pytest.approx(10 * np.log(0.2) + 6 + 2 * 3 * 4 / 6)
    assert aicc(2.0, 4, 3) == np.inf


def test_two_sizes_are_no_curve() -> None:
    with pytest.raises(ValueError, match="2 sizes say nothing of a curve"):
        scaling_of(planted([100, 1_000], runs=3, seed=0))
