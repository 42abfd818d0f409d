"""Drift: whether drawn pictures have other colours and contrasts than real ones, and whether the control is why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

Looks = NDArray[np.float64]  # [N, 8]: of N pictures, each of STATISTICS

FALSE_ALARMS = 0.01  # of probes whose pictures have not drifted
HALF = 0.5  # of the spread from one real picture to another: the least drift that is worth a word
FEWEST = 4  # pictures of which a drift can be told


@dataclass(frozen=True)
class Statistic:
    """One number of how a picture looks."""

    name: str
    words: str  # what it is, for a sentence
    least: float  # drift in it that no one sees, whatever the spread
    whole: float = 255.0  # what it is a part of


STATISTICS = (
    *(Statistic(f"{colour}", f"mean of {colour}", 2.5) for colour in ("red", "green", "blue")),
    *(Statistic(f"{colour}_contrast", f"contrast of {colour}", 2.5) for colour in ("red", "green", "blue")),
    Statistic("chroma", "chroma", 2.5),
    Statistic("saturated", "share of saturated values", 0.01, whole=1.0),
)


@dataclass(frozen=True)
class Drift:
    """How far drawn pictures are from real ones: drawn less real by name, and what of it a person should know."""

    numbers: dict[str, float]
    warnings: tuple[str, ...]


def look(picture: NDArray[np.uint8]) -> Looks:
    """Measure how a picture looks.

    Args:
        picture: [H, W, 3] RGB.

    Returns:
        [8] float64: mean and standard deviation of each channel and the mean of chroma (the largest of the three
        channels less the smallest), 0 to 255; the share of values that are 0 or 255, 0 to 1.
    """
    values = picture.astype(np.float64)
    chroma = (values.max(axis=2) - values.min(axis=2)).mean()
    saturated = ((picture == 0) | (picture == 255)).mean()
    return np.array([*values.mean(axis=(0, 1)), *values.std(axis=(0, 1)), chroma, saturated])


def drift(drawn: Looks, real: Looks, alone: Looks) -> Drift:
    """Tell a drift that the control brings from what the base does by itself, and from chance.

    Drawn pictures drift where their mean is farther from that of the real ones than what the base draws alone from the
    same captions and noise, by more than each of: half of the standard deviation from one real picture to another;
    what chance makes of the same pictures drawn with and without control in one probe of a hundred (Student's t, shared
    by the statistics); what no one sees.

    Args:
        drawn: [N, 8], with the control.
        real: [N, 8], of the pictures whose captions and conditions were drawn.
        alone: [N, 8], without it.
    """
    off, off_alone = (drawn - real).mean(axis=0), (alone - real).mean(axis=0)
    numbers = {f"drift/{each.name}": float(value) for each, value in zip(STATISTICS, off, strict=True)}
    if len(drawn) < FEWEST:
        return Drift(numbers, ())
    certain = student.ppf(1 - FALSE_ALARMS / (2 * len(STATISTICS)), len(drawn) - 1)
    chance = certain * (drawn - alone).std(axis=0, ddof=1) / np.sqrt(len(drawn))
    seen = np.maximum(HALF * real.std(axis=0, ddof=1), [each.least for each in STATISTICS])
    beyond = np.abs(off) - np.abs(off_alone) > np.maximum(chance, seen)
    means = np.stack([looks.mean(axis=0) for looks in (drawn, real, alone)], axis=1).tolist()
    return Drift(numbers, tuple(_sentence(STATISTICS[place], means[place]) for place in np.flatnonzero(beyond)))


def _sentence(statistic: Statistic, means: Sequence[float]) -> str:
    if statistic.whole == 1.0:
        drawn, real, alone = (f"{100 * value:.1f} %" for value in means)
    else:
        drawn, real, alone = (f"{value:.0f}" for value in means)
    return (
        f"drift: the {statistic.words} is {drawn} in drawn pictures and {real} in real ones ({alone} without control)"
    )
