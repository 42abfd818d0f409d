"""How many of how many, with an interval that is right for none and for all, where a bootstrap has none to give."""

from dataclasses import dataclass

from scipy.stats import beta, binomtest

from evaluate.statistics import LEVEL, Interval


@dataclass(frozen=True)
class Rate:
    """A count among so many samples."""

    count: int
    of: int

    @property
    def interval(self) -> Interval:
        """The share with its exact 95 % interval (Clopper and Pearson 1934); NaN of no samples."""
        if not self.of:
            return Interval(float("nan"), float("nan"), float("nan"))
        tail = (1 - LEVEL) / 2
        low = beta.ppf(tail, self.count, self.of - self.count + 1) if self.count else 0.0
        high = beta.ppf(1 - tail, self.count + 1, self.of - self.count) if self.count < self.of else 1.0
        return Interval(self.count / self.of, float(low), float(high))


def exchanged(first_alone: int, other_alone: int) -> float:
    """p that samples which only one of two arms has fall so unevenly by chance (McNemar's exact test, two directions).

    Args:
        first_alone: how many samples only the first arm has.
        other_alone: how many only the other one has.
    """
    both = first_alone + other_alone
    return float(binomtest(first_alone, both, 0.5).pvalue) if both else 1.0


def in_words(rate: Rate) -> str:
    """As "12 of 1,000 (1.20%, 95% interval 0.62 to 2.09%)"."""
    if not rate.of:
        return "0 of 0"
    share = rate.interval
    between = f"{100 * share.low:.2f} to {100 * share.high:.2f}%"
    return f"{rate.count:,} of {rate.of:,} ({100 * share.value:.2f}%, 95% interval {between})"
