"""The verdict on a run: whether it learnt to obey its hints, and when."""

from pathlib import Path

from train.watch.convergence import Estimate, Rise, find_rise
from train.watch.record import read_looks


def verdict(run: Path) -> str:
    """Say when control appeared, by what the true hint is worth against another row's; "" if nobody looked."""
    looks = read_looks(run)
    if looks is None:
        return ""
    rise = find_rise(looks.steps, looks.hint)
    if rise is None:
        return f"no control yet after {looks.steps[-1]:,} steps"
    return f"control appeared at step {with_interval(rise.step)}, {_manner(rise)}"


def with_interval(steps: Estimate) -> str:
    """A step with its 95 % interval, as "1,200 [1,100, 1,300]"."""
    low, high = (f"{end:,.0f}" if end != float("inf") else "the end" for end in (steps.low, steps.high))
    return f"{steps.value:,.0f} [{low}, {high}]"


def _manner(rise: Rise) -> str:
    manner = "suddenly" if rise.sudden else "gradually"
    return f"{manner} (from 20 to 80 % of its effect within {rise.width:,.0f} steps)"
