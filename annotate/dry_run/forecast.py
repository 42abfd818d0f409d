"""What a measured sample says of a whole job: rates, hours, bytes and shares, each with an interval."""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
Z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))
BLIND = 2.0  # of one run alone: nothing is known of the spread, so half and double are given


@dataclass(frozen=True)
class Range:
    """A prediction and the ends of its 95 % interval, in the unit of whatever it is of."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> "Range":
        """Each of the three, multiplied by a number that isn't negative."""
        return Range(self.low * factor, self.likely * factor, self.high * factor)

    def plus(self, more: float) -> "Range":
        """Each of the three, and so much more."""
        return Range(self.low + more, self.likely + more, self.high + more)

    def inverse(self) -> "Range":
        """One divided by each of the three, as seconds a picture from pictures a second."""
        return Range(*(1 / end if end else math.inf for end in (self.high, self.likely, self.low)))

    def around(self, level: float) -> "Range":
        """The same interval, in proportion, around another level."""
        return self.times(level / self.likely) if self.likely else Range(level, level, level)


@dataclass(frozen=True)
class Sampled:
    """A quantity of sampled runs of rows.

    Attributes:
        totals: of the quantity in each run, as its seconds or its bytes.
        rows: of each run.
        population: rows that the runs were drawn from.
    """

    totals: Sequence[float]
    rows: Sequence[int]
    population: int

    def per_row(self) -> Range:
        """Ratio estimate of the quantity per row (Cochran 1977, section 6.4), runs being clusters.

        Where the sample is the whole population, its interval has no width.
        """
        totals, rows = np.asarray(self.totals, float), np.asarray(self.rows, float)
        ratio, runs = float(totals.sum() / rows.sum()), len(rows)
        left = max(0.0, 1 - float(rows.sum()) / self.population)
        if not left:
            return Range(ratio, ratio, ratio)
        if runs == 1:
            return Range(ratio / BLIND, ratio, ratio * BLIND)
        error = math.sqrt(left * runs / (runs - 1) * float(((totals - ratio * rows) ** 2).sum())) / float(rows.sum())
        margin = float(stats.t.ppf(0.5 + CONFIDENCE / 2, runs - 1)) * error
        return Range(max(0.0, ratio - margin), ratio, ratio + margin)

    def share(self) -> Range:
        """Wilson's interval of the share of rows that have something, `totals` being how many have it.

        Rows of one run are alike, as where a disk has damaged a stretch of them, and say less than as many rows from
        anywhere: they count for fewer, by the design effect (Kish 1965).
        """
        rows = sum(self.rows)
        left = max(0.0, 1 - rows / self.population)
        share = sum(self.totals) / rows
        if not left:
            return Range(share, share, share)
        return wilson(share, rows / (design_effect(self.totals, self.rows) * left))


def wilson(share: float, rows: float) -> Range:
    """Wilson's (1927) interval of a share seen in so many rows."""
    middle = (share + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    margin = Z / (1 + Z**2 / rows) * math.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2))
    return Range(max(0.0, middle - margin), share, min(1.0, middle + margin))


def design_effect(hits: Sequence[float], rows: Sequence[int]) -> float:
    """By how much the variance of a share exceeds that of rows drawn one by one; at least 1.

    Args:
        hits: of each run, the rows that count.
        rows: of each run.
    """
    counts, sizes = np.asarray(hits, float), np.asarray(rows, float)
    share, runs = counts.sum() / sizes.sum(), len(sizes)
    if runs < 2 or not 0 < share < 1:
        return 1.0
    clustered = runs / (runs - 1) * float(((counts - share * sizes) ** 2).sum()) / sizes.sum() ** 2
    return max(1.0, clustered / (share * (1 - share) / sizes.sum()))


def wobble(seconds: Sequence[float]) -> float:
    """Half the width of the interval of a mean, as a share of it, from repeated measurements; 0 of a single one."""
    if len(seconds) < 2:
        return 0.0
    measured = np.asarray(seconds, float)
    error = float(measured.std(ddof=1)) / math.sqrt(len(measured))
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(measured) - 1)) * error / float(measured.mean())


def widened(found: Range, share: float) -> Range:
    """An interval that is wider by an independent error of so large a share of its middle."""
    below = math.hypot(found.likely - found.low, share * found.likely)
    above = math.hypot(found.high - found.likely, share * found.likely)
    return Range(max(0.0, found.likely - below), found.likely, found.likely + above)


def makespan(seconds: Sequence[float], workers: int) -> float:
    """When the last of so many workers is through, each taking the next shard as soon as it is free."""
    free = [0.0] * max(1, min(workers, len(seconds)))
    for took in seconds:
        heapq.heappush(free, heapq.heappop(free) + took)
    return max(free)


def part_of_work(work: Mapping[str, float], families: Sequence[str]) -> float:
    """The share of a row's time that it takes where only some of the families are to be made.

    Args:
        work: seconds by family; those that all families share, as decoding, under "".
    """
    total = sum(work.values())
    return (work.get("", 0.0) + sum(work[family] for family in families)) / total if total else 1.0


def memory_of(measured: int, *, held: int, rows: int, bytes_per_row: float) -> int:
    """Bytes that a worker takes over a whole shard, from those it took over a sample of it.

    Args:
        measured: its peak, holding `held` rows.
        rows: of the largest shard.
        bytes_per_row: that each row adds, stored and annotated.
    """
    return measured + round(max(0, rows - held) * bytes_per_row)


def duration(seconds: float) -> str:
    """As 40 s, 12 min, 3.5 h or 4.2 days."""
    for unit, length in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}" if seconds >= 9.95 * length else f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
