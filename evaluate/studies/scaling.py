"""How a score grows with the number of training pairs, and how many pairs a score takes: only as far as can be told."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from evaluate.statistics import Array, Interval, interval

EXPONENTS = np.geomspace(0.02, 3.0, 120)  # b of the power law, tried one after the other
BEYOND = 10.0  # times the largest size: nothing is said of more pairs than that


@dataclass(frozen=True)
class Runs:
    """Trainings of several sizes, scored on the same samples.

    Attributes:
        sizes: [M] float64, training pairs of each run.
        scores: [M] float64.
        replicates: [R, M] float64, of each resample of the samples; of one resample in all runs.
    """

    sizes: Array
    scores: Array
    replicates: Array


@dataclass(frozen=True)
class Form:
    """One way in which a score may grow: linear in its coefficients, at each exponent.

    Attributes:
        parameters: how many are fitted.
        columns: (sizes [S], exponent) → [S, P] float64 whose mixture is the score.
        exponents: that are tried; one, which says nothing, where there is none.
    """

    name: str
    parameters: int
    columns: Callable[[Array, float], Array]
    exponents: Array


def _constant(sizes: Array, _exponent: float) -> Array:
    return np.ones((len(sizes), 1))


def _logarithm(sizes: Array, _exponent: float) -> Array:
    return np.stack([np.ones_like(sizes), np.log(sizes)], axis=1)


def _power(sizes: Array, exponent: float) -> Array:
    return np.stack([np.ones_like(sizes), -(sizes**-exponent)], axis=1)


FORMS = (
    Form("plateau", 1, _constant, np.zeros(1)),  # y = c
    Form("log-linear", 2, _logarithm, np.zeros(1)),  # y = u + v log n
    Form("power law", 3, _power, EXPONENTS),  # y = c - a n^-b
)


@dataclass(frozen=True)
class Fit:
    """One form fitted.

    Attributes:
        aicc: Akaike's criterion, corrected for few runs; infinite where there are too few to tell.
        parameters: c; u, v; or c, a, b: each with its interval.
        curve: sizes [S] → score with band: each [S] float64: value, low, high.
    """

    form: Form
    aicc: float
    parameters: tuple[Interval, ...]
    curve: Callable[[Array], tuple[Array, Array, Array]]


@dataclass(frozen=True)
class Scaling:
    """What the runs say.

    Attributes:
        sizes: [S] float64, ascending, each once.
        means: of the runs of each size.
        monotone: sizes [K] within the range → [K] score that never falls, by interpolation between the sizes.
        fits: best first.
        per_doubling: between neighbouring sizes, gain a doubling of pairs.
        between_runs: standard deviation between runs of one size; None where no size has two.
    """

    sizes: Array
    means: tuple[Interval, ...]
    monotone: Callable[[Array], Array]
    fits: tuple[Fit, ...]
    per_doubling: tuple[Interval, ...]
    between_runs: float | None
    _coefficients: Array  # [R, P] of the best fit, with its exponents last

    @property
    def best(self) -> Fit:
        """The form of least AICc."""
        return self.fits[0]

    def pairs_for(self, score: float) -> Interval | None:
        """How many pairs reach a score by the best form; None where these sizes can't identify it.

        That is where its interval has no upper end: more than one in forty resamples don't reach it within ten times
        the largest size, or have reached it below the smallest one.
        """
        form, (low, high) = self.best.form, (self.sizes[0], self.sizes[-1] * BEYOND)
        grid = np.geomspace(low, high, 400)
        needed = np.array([_first_reached(form, row, grid, score) for row in self._coefficients])
        least, most = np.quantile(needed[1:], [0.025, 0.975], method="inverted_cdf")
        if form.parameters == 1 or not np.isfinite([needed[0], most]).all():
            return None
        return Interval(float(needed[0]), float(least), float(most))


def scaling_of(runs: Runs, *, seed: int = 0) -> Scaling:
    """Fit every form, with bands that know of samples and of runs.

    Samples are resampled; what another training would change is drawn from a normal distribution with the standard
    deviation between runs of one size. Where each size was trained once, that is not known, and not in the bands.

    Raises:
        ValueError: There are fewer than three sizes.
    """
    sizes = np.unique(runs.sizes)
    if len(sizes) < 3:
        raise ValueError(f"scaling: {len(sizes)} sizes say nothing of a curve. Train three sizes or more")
    of_size = (runs.sizes[:, None] == sizes).astype(np.float64)
    counts = of_size.sum(axis=0)
    weights = of_size / counts
    means, resampled = runs.scores @ weights, runs.replicates @ weights
    between = _between_runs(runs, means @ of_size.T, counts)
    if between is not None:
        resampled = resampled + np.random.default_rng(seed).normal(0, between / np.sqrt(counts), resampled.shape)
    fits = [(_fit(form, runs, sizes, means, resampled), _all(form, sizes, means, resampled)) for form in FORMS]
    fits.sort(key=lambda pair: pair[0].aicc)
    doublings = np.diff(np.log2(sizes))
    gains, gains_again = np.diff(means) / doublings, np.diff(resampled, axis=1) / doublings
    return Scaling(
        sizes=sizes,
        means=tuple(interval(float(one), again) for one, again in zip(means, resampled.T, strict=True)),
        monotone=_monotone(sizes, means, counts),
        fits=tuple(fit for fit, _ in fits),
        per_doubling=tuple(interval(float(one), again) for one, again in zip(gains, gains_again.T, strict=True)),
        between_runs=between,
        _coefficients=fits[0][1],
    )


def _between_runs(runs: Runs, fitted: Array, counts: Array) -> float | None:
    """Standard deviation of runs around the mean of their size."""
    free = int((counts - 1).sum())
    return float(np.sqrt(((runs.scores - fitted) ** 2).sum() / free)) if free else None


def _monotone(sizes: Array, means: Array, counts: Array) -> Callable[[Array], Array]:
    rising = isotonic_regression(means, weights=counts).x
    through = PchipInterpolator(np.log(sizes), rising, extrapolate=False)
    return lambda wanted: np.asarray(through(np.log(wanted)))


def _all(form: Form, sizes: Array, means: Array, resampled: Array) -> Array:
    """Coefficients of the means, then of each resample: [1 + R, P], the exponent last where there is one."""
    return _solve(form, sizes, np.vstack([means, resampled]))


def _solve(form: Form, sizes: Array, tables: Array) -> Array:
    """Least squares of each row [S] of the tables, over all exponents."""
    best = np.full(len(tables), np.inf)
    found = np.zeros((len(tables), form.parameters))
    for exponent in form.exponents:
        columns = form.columns(sizes, float(exponent))
        solved = np.linalg.lstsq(columns, tables.T, rcond=None)[0].T
        error = ((tables - solved @ columns.T) ** 2).sum(axis=1)
        better = error < best
        best = np.where(better, error, best)
        whole = solved if len(form.exponents) == 1 else np.column_stack([solved, np.full(len(solved), exponent)])
        found[better] = whole[better]
    return found


def _values(form: Form, coefficients: Array, sizes: Array) -> Array:
    """The curve of one row of coefficients: [S]."""
    if len(form.exponents) == 1:
        return form.columns(sizes, 0.0) @ coefficients
    return form.columns(sizes, float(coefficients[-1])) @ coefficients[:-1]


def _fit(form: Form, runs: Runs, sizes: Array, means: Array, resampled: Array) -> Fit:
    coefficients = _all(form, sizes, means, resampled)
    errors = runs.scores - _values(form, coefficients[0], runs.sizes)
    parameters = zip(coefficients[0], coefficients[1:].T, strict=True)

    def curve(wanted: Array) -> tuple[Array, Array, Array]:
        band = np.stack([_values(form, row, wanted) for row in coefficients[1:]])
        low, high = np.quantile(band, [0.025, 0.975], axis=0)
        return _values(form, coefficients[0], wanted), low, high

    return Fit(
        form=form,
        aicc=aicc(float((errors**2).sum()), len(errors), form.parameters + 1),
        parameters=tuple(interval(float(one), again) for one, again in parameters),
        curve=curve,
    )


def aicc(squares: float, points: int, parameters: int) -> float:
    """Akaike's information criterion of least squares, corrected for few points (Hurvich & Tsai 1989).

    Args:
        squares: sum of squared errors.
        parameters: fitted, the error's own variance among them.
    """
    free = points - parameters - 1
    if free <= 0:
        return float("inf")
    return points * float(np.log(max(squares, 1e-300) / points)) + 2 * parameters * points / free


def _first_reached(form: Form, coefficients: Array, grid: Array, score: float) -> float:
    """The size at which a rising curve passes a score, between points of the grid; infinite where it does not."""
    values = _values(form, coefficients, grid)
    if values[0] >= score or values[-1] < score:
        return float("inf")
    place = int(np.argmax(values >= score))
    share = (score - values[place - 1]) / (values[place] - values[place - 1])
    return float(np.exp(np.log(grid[place - 1]) + share * np.log(grid[place] / grid[place - 1])))


def verdict(scaling: Scaling, *, target: float, unit: str = "") -> str:
    """What the sizes say of a score, in a sentence.

    Args:
        unit: after the score.
    """
    form, needed, score = scaling.best.form.name, scaling.pairs_for(target), f"{target:.3g} {unit}".strip()
    if scaling.means[0].low >= target:
        return f"{scaling.sizes[0]:,.0f} pairs, the fewest tried, surely reach {score} already."
    if needed is None:
        return f"How many pairs reach {score} is not identifiable from these sizes (best form: {form})."
    middle, low, high = (f"{float(f'{value:.2g}'):,.0f}" for value in (needed.value, needed.low, needed.high))
    return f"About {middle} pairs reach {score} (95% interval {low} to {high}; {form})."
