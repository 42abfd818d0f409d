"""How a score grows with the number of training pairs, and how many pairs a score takes: only as far as can be told."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from evaluate.statistics import Array, Interval, interval
from evaluate.studies.spread import SEED, spread_of

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
        coefficients: [1 + R, P] float64 of the means, then of each resample: c; u, v; or c, a, b.
    """

    form: Form
    aicc: float
    coefficients: Array

    @property
    def parameters(self) -> tuple[Interval, ...]:
        """The coefficients, each with its interval."""
        return tuple(interval(float(column[0]), column[1:]) for column in self.coefficients.T)

    def curve(self, sizes: Array) -> tuple[Array, Array, Array]:
        """The score at sizes [K], with its band: each [K] float64: value, low, high."""
        values = np.stack([_values(self.form, row, sizes) for row in self.coefficients])
        low, high = np.quantile(values[1:], [0.025, 0.975], axis=0)
        return values[0], low, high


@dataclass(frozen=True)
class Scaling:
    """What the runs say.

    Attributes:
        sizes: [S] float64, ascending, each once.
        tables: [1 + R, S] float64, the mean score of each size, then of each resample with what other trainings change.
        counts: [S] float64, runs of each size.
        fits: best first; where there are too few runs to hold forms against each other, in the order of `FORMS`.
    """

    sizes: Array
    tables: Array
    counts: Array
    fits: tuple[Fit, ...]

    @property
    def best(self) -> Fit | None:
        """The form of least AICc; None where too few runs tell nothing of forms."""
        return self.fits[0] if sum(np.isfinite(fit.aicc) for fit in self.fits) > 1 else None

    @property
    def per_doubling(self) -> tuple[Interval, ...]:
        """Between neighbouring sizes, gain a doubling of pairs."""
        gains = np.diff(self.tables, axis=1) / np.diff(np.log2(self.sizes))
        return tuple(interval(float(column[0]), column[1:]) for column in gains.T)

    def rising(self, sizes: Array) -> Array:
        """Score that never falls, by interpolation between the sizes: [K] → [K] float64; NaN beyond the range."""
        means = isotonic_regression(self.tables[0], weights=self.counts).x
        return np.asarray(PchipInterpolator(np.log(self.sizes), means, extrapolate=False)(np.log(sizes)))

    def pairs_for(self, targets: Array) -> Interval | None:
        """How many pairs reach a score by the best form; None where these sizes can't identify it.

        That is where its interval has no upper end: more than one in forty resamples don't reach it within ten times
        the largest size, or have reached it below the smallest one.

        Args:
            targets: [1 + R] float64, the score, then that of each resample: another one where it is estimated itself.
        """
        if self.best is None or self.best.form.parameters == 1:
            return None
        grid = np.geomspace(self.sizes[0], self.sizes[-1] * BEYOND, 400)
        rows = zip(self.best.coefficients, targets, strict=True)
        needed = np.array([_first_reached(self.best.form, row, grid, float(target)) for row, target in rows])
        least, most = np.quantile(needed[1:], [0.025, 0.975], method="inverted_cdf")
        if not np.isfinite([needed[0], most]).all():
            return None
        return Interval(float(needed[0]), float(least), float(most))

    def start_reaches(self, targets: Array) -> bool:
        """Whether the smallest size surely reaches a score already, as `pairs_for` takes it."""
        return bool(np.quantile((self.tables[:, 0] - targets)[1:], 0.025) >= 0)


def scaling_of(runs: Runs) -> Scaling:
    """Fit every form, with bands that know of samples and of runs.

    Samples are resampled; what another training would change is drawn with the standard deviation between runs of one
    size. Where each size was trained once, that is not known, and not in the bands.

    Raises:
        ValueError: There are fewer than three sizes.
    """
    sizes = np.unique(runs.sizes)
    if len(sizes) < 3:
        raise ValueError(f"scaling: {len(sizes)} sizes say nothing of a curve. Train three sizes or more")
    of_size = (runs.sizes[:, None] == sizes).astype(np.float64)
    counts = of_size.sum(axis=0)
    means, resampled = (each @ (of_size / counts) for each in (runs.scores, runs.replicates))
    spread = spread_of(runs.scores[None, runs.sizes == size] for size in sizes)
    if spread:
        generator = np.random.default_rng(SEED)
        resampled = resampled + spread.changes(counts, spread.unsure(len(resampled), generator)[:, None], generator)
    tables = np.vstack([means, resampled])
    fits = sorted((_fit(form, runs, sizes, tables, counts) for form in FORMS), key=lambda fit: fit.aicc)
    return Scaling(sizes, tables, counts, tuple(fits))


def _solve(form: Form, sizes: Array, tables: Array, counts: Array) -> Array:
    """Least squares over the runs of each row [S] of the tables: [1 + R, P], the exponent last where there is one."""
    best = np.full(len(tables), np.inf)
    found = np.zeros((len(tables), form.parameters))
    weights = np.sqrt(counts)
    for exponent in form.exponents:
        columns = form.columns(sizes, float(exponent))
        solved = np.linalg.lstsq(columns * weights[:, None], (tables * weights).T, rcond=None)[0].T
        error = (counts * (tables - solved @ columns.T) ** 2).sum(axis=1)
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


def _fit(form: Form, runs: Runs, sizes: Array, tables: Array, counts: Array) -> Fit:
    coefficients = _solve(form, sizes, tables, counts)
    errors = runs.scores - _values(form, coefficients[0], runs.sizes)
    return Fit(form, aicc(float((errors**2).sum()), len(errors), form.parameters + 1), coefficients)


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


def verdict(scaling: Scaling, *, targets: Array, unit: str = "") -> str:
    """What the sizes say of a score, in a sentence.

    Args:
        targets: [1 + R] float64, as `Scaling.pairs_for` takes them.
        unit: after the score.
    """
    needed, score = scaling.pairs_for(targets), f"{targets[0]:.3g} {unit}".strip()
    if scaling.start_reaches(targets):
        return f"{scaling.sizes[0]:,.0f} pairs, the fewest tried, surely reach {score} already."
    if needed is None or scaling.best is None:
        form = f"best form: {scaling.best.form.name}" if scaling.best else "too few trainings to compare forms"
        return f"How many pairs reach {score} is not identifiable from these sizes ({form})."
    middle, low, high = (f"{float(f'{value:.2g}'):,.0f}" for value in (needed.value, needed.low, needed.high))
    return f"About {middle} pairs reach {score} (95% interval {low} to {high}; {scaling.best.form.name})."
