"""The numbers of a measure of quality in every arm, with intervals over samples, from what a network saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.anchors import CEILING, CONTROLLED, FLOOR, ORACLE, SPAN
from evaluate.measured import Measured
from evaluate.quality.discrepancy import Kernel, between, halves, terms_of, unbiased
from evaluate.quality.frechet import fid, frechet, too_few
from evaluate.quality.seen import SeenOf, check_paired, seen_of
from evaluate.statistics import Array, Interval, Statistic, bootstrap, interval

MADE = SPAN  # arms that are held against the real pictures
SCORED = (*MADE, ORACLE)
SCALE = 1_000.0  # of KID and CMMD
LEAST = 10  # samples: of fewer, some resample holds one sample alone
SPLITS = 200  # times the real pictures are halved
FEW = 5_000  # samples below which FID comes last
NAN = float("nan")


@dataclass(frozen=True)
class Numbers:
    """One measure.

    Attributes:
        samples: N that it was computed of; 0: it was not computed, and the notes say why.
        arms: arm → estimate; its bounds are NaN where there is no interval.
        change: controlled less floor on the same resamples: what the control does to quality.
        halves: the measure between two random halves of the real pictures, N / 2 each: what is found where there is
            nothing to find. The interval is that of the halving.
        notes: whole sentences.
    """

    samples: int
    arms: dict[str, Interval]
    change: Interval | None = None
    halves: Interval | None = None
    notes: tuple[str, ...] = ()


def left_out(reason: str) -> Numbers:
    """No numbers, and why."""
    return Numbers(0, {}, notes=(f"Not computed: {reason}.",))


def of_kernel(rows: pa.Table, *, network: str, kernel: Kernel) -> Numbers:
    """A squared discrepancy from the real pictures, times 1000.

    Args:
        rows: of quality.parquet.
        kernel: of `evaluate.quality.discrepancy`.
    """
    arms, real = _against_real(rows, network)
    samples = len(real.keys)
    if samples < LEAST:
        return left_out(f"it compares samples with others, {LEAST} at least, and here are {samples}")
    among_real = between(real, real, kernel)
    terms = {arm: SCALE * terms_of(seen, real, kernel, among_real=among_real) for arm, seen in arms.items()}
    measured = _measure([unbiased(each) for each in terms.values()], tuple(terms), samples)
    split = SCALE * halves(among_real, splits=SPLITS, seed=0)
    return Numbers(
        samples,
        {arm: measured.interval(arm) for arm in terms},
        change=_change(measured),
        halves=interval(float(split.mean()), split),
        notes=(
            f"With the pairs within samples, as a V-statistic: {terms[CONTROLLED].mean():.3f} for the controlled "
            "pictures.",
            f"Two halves of the real pictures have {samples // 2:,} each; of as many as the arms they would spread "
            "half as far.",
        ),
    )


def of_frechet(rows: pa.Table, *, network: str) -> Numbers:
    """The Fréchet distance from the real pictures, where it is defined."""
    arms, real = _against_real(rows, network)
    samples, width = real.features.shape
    if reason := too_few(samples, width):
        return left_out(reason)
    found = {arm: fid(seen, real) for arm, seen in arms.items()}
    notes = [f"Of {samples:,} pictures: compare it with FID of as many alone."]
    notes += [f"Below {FEW:,} samples KID and CMMD come first."] if samples < FEW else []
    lacking = too_few(samples // 2, width)
    notes += [f"No two halves of the real pictures: {lacking}."] if lacking else []
    return Numbers(
        samples,
        {arm: Interval(value, NAN, NAN) for arm, value in found.items()},
        change=Interval(found[CONTROLLED] - found[FLOOR], NAN, NAN),
        halves=None if lacking else Interval(_halved(real), NAN, NAN),
        notes=tuple(notes),
    )


def of_scores(rows: pa.Table, *, network: str) -> Numbers:
    """The mean over samples of a network's own score of each picture."""
    valued = rows.filter(pc.is_valid(rows["value"]))
    arms = {arm: seen_of(valued, network=network, arm=arm) for arm in SCORED}
    check_paired(arms.items())
    samples = len(arms[ORACLE].keys)
    if not samples:
        return left_out("no sample has a caption")
    means = np.stack([seen.mean() for seen in arms.values()], axis=1)
    measured = Measured(tuple(arms), samples, *bootstrap(_mean_of(means), samples))
    unscored = len(seen_of(rows, network=network, arm=ORACLE).keys) - samples
    return Numbers(
        samples,
        {arm: measured.interval(arm) for arm in arms},
        change=_change(measured),
        notes=(f"{unscored:,} samples without a caption are left out.",) if unscored else (),
    )


def _against_real(rows: pa.Table, network: str) -> tuple[dict[str, SeenOf], SeenOf]:
    """What is held against the real pictures, and those; a picture that is the same in all draws counts once."""
    every = {arm: seen_of(rows, network=network, arm=arm) for arm in SCORED}
    check_paired(every.items())
    every = {arm: seen.once() if arm in (CEILING, ORACLE) else seen for arm, seen in every.items()}
    return {arm: every[arm] for arm in MADE}, every[ORACLE]


def _halved(real: SeenOf) -> float:
    """The Fréchet distance between two random halves of the real pictures."""
    places = np.random.default_rng(0).permutation(len(real.keys))
    size = len(places) // 2
    return frechet(real.features[places[:size]], real.features[places[size : 2 * size]])


def _measure(statistics: Sequence[Statistic], arms: tuple[str, ...], samples: int) -> Measured:
    """All arms on the same resamples."""

    def statistic(weights: Array) -> Array:
        return np.stack([each(weights) for each in statistics], axis=1)

    return Measured(arms, samples, *bootstrap(statistic, samples))


def _mean_of(scores: Array) -> Statistic:
    """Means of the columns of [N, K]."""
    return lambda weights: weights @ scores / weights.sum(axis=1, keepdims=True)


def _change(measured: Measured) -> Interval:
    one, other = (measured.arms.index(arm) for arm in (CONTROLLED, FLOOR))
    replicates = measured.replicates[:, one] - measured.replicates[:, other]
    return interval(float(measured.value[one] - measured.value[other]), replicates)
