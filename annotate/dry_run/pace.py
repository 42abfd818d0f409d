"""How fast a worker goes, and on what it spends its time, from passes of several processes over their shares."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from annotate.dry_run.clock import SHARED
from annotate.dry_run.forecast import Range, Sampled, widened, wobble
from annotate.dry_run.outcome import Outcome, Share

REST = "rest"  # of a worker's time: reading the shard, forming batches, tables, their file


@dataclass(frozen=True)
class Pace:
    """How fast a worker goes beside as many others as were tried.

    Attributes:
        seconds: a row.
        work: seconds a row by family, and under "" what all families share; as threads count them.
        stages: by the name of a stage, and of its family, shares of a worker's time; where threads help it, of all the
            time that they work.
        processor: share of the time that a worker had a core; less where other work is on the machine. Not known, and
            so 1, where threads help.
    """

    seconds: Range
    work: dict[str, float]
    stages: dict[str, float]
    processor: float


def measure_pace(shares: Sequence[Share], outcomes: Sequence[Outcome], population: int) -> Pace:
    """The pace of all processes together.

    The interval has two sources: pictures differ, which shows in the time that each run of rows took; machines waver,
    which shows in passes over the same rows.

    Args:
        population: rows that the shares were drawn from.
    """
    tried = [(share, one) for share, outcome in zip(shares, outcomes, strict=True) for one in outcome.timed]
    rows = sum(share.rows for share, _ in tried)
    level = sum(one.seconds for _, one in tried) / rows
    seconds = _by_run(shares, outcomes, population).per_row().around(level)
    work: defaultdict[str, float] = defaultdict(float)
    stages: defaultdict[str, float] = defaultdict(float)
    for _, one in tried:
        for stretch, spent in one.spent.items():
            work[stretch.family] += spent / rows
            stages[f"{stretch.stage} {stretch.family}".strip()] += spent / rows
    processor = 1.0
    if not any(share.order.threads for share in shares):
        processor = min(1.0, sum(one.processor for _, one in tried) / (level * rows))
        stages[REST] = max(0.0, level - sum(stages.values()))
    total = sum(stages.values())
    shown = {stage: spent / total for stage, spent in stages.items()}
    return Pace(widened(seconds, wobble(_repeated(outcomes))), {SHARED: 0.0, **work}, shown, processor)


def _by_run(shares: Sequence[Share], outcomes: Sequence[Outcome], population: int) -> Sampled:
    """Seconds of work on each run of rows, the mean of all passes."""
    totals: list[float] = []
    for share, outcome in zip(shares, outcomes, strict=True):
        spent = [0.0] * len(share.runs)
        for one in outcome.timed:
            for stretch, seconds in one.spent.items():
                spent[stretch.run] += seconds / len(outcome.timed)
        totals += spent
    return Sampled(totals, [rows for share in shares for rows in share.runs], population)


def _repeated(outcomes: Sequence[Outcome]) -> list[float]:
    """Of every pass over rows that were gone over again, its time as a multiple of their mean."""
    found: list[float] = []
    for outcome in outcomes:
        times = [one.seconds for one in outcome.timed]
        found += [len(times) * one / sum(times) for one in times if len(times) > 1]
    return found
