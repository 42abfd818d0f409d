"""What a study found, in sentences."""

import math
from collections.abc import Sequence

from evaluate.render import count
from evaluate.studies.grid import Grid, Way
from evaluate.studies.scaling import Scaling, verdict

NINE_TENTHS = 0.9  # of what the largest size reached: how many pairs take one there


def headline(grid: Grid) -> str:
    """Which way goes furthest, and whether it is told from the first."""
    known = [way for way in grid.ways if math.isfinite(way.share.value)]
    if not known:
        return "No verdict: floor and ceiling of this study coincide."
    best = max(known, key=lambda way: way.share.value)
    way = f"{100 * best.share.value:.0f}% of the way [{100 * best.share.low:.0f}, {100 * best.share.high:.0f}]"
    said = f"{best.name} goes furthest: {way} from no control to the best this base can draw"
    if best.beside is None:
        others = [way.beside for way in grid.ways if way.beside is not None]
        behind = sum(beside.high < 0 for beside in others)
        return f"{said}; of the other {len(others)}, {behind or 'none'} surely less."
    told = "surely more" if best.beside.low > 0 else "not surely more"
    return f"{said}, {told} than {grid.ways[0].name} ({100 * grid.ways[0].share.value:.0f}%)."


def pairs_in_words(scaling: Scaling) -> str:
    """How many pairs reach nine tenths of what the largest size reached, or that these sizes can't tell."""
    target = NINE_TENTHS * scaling.means[-1].value
    return verdict(scaling, target=target, unit=f"(nine tenths of what {count(int(scaling.sizes[-1]))} pairs reach)")


def doublings_in_words(scaling: Scaling) -> str:
    """What each doubling of the pairs bought, between neighbouring sizes."""
    sizes = [count(int(size)) for size in scaling.sizes]
    gains = [
        f"{100 * gain.value:+.0f} points [{100 * gain.low:+.0f}, {100 * gain.high:+.0f}] from {small} to {large}"
        for gain, small, large in zip(scaling.per_doubling, sizes, sizes[1:], strict=False)
    ]
    return f"A doubling of the pairs changes {', '.join(gains)}."


def budget_in_words(grid: Grid) -> str:
    """What all trainings have as much of."""
    costs = [way.cost for way in grid.ways if way.cost.samples]
    if not costs:
        return "Nothing was trained."
    samples = _range([cost.samples for cost in costs], "{:,.0f}")
    teraflop = _range([cost.teraflop for cost in costs], "{:,.3g}")
    return f"Each training saw {samples} samples and computed {teraflop} TFLOP."


def trainings_in_words(grid: Grid) -> str:
    """What of other trainings is in the intervals."""
    if grid.between_runs is None:
        return "Every way was trained once: what another training would change is in no interval."
    return (
        f"Trainings of one way (repeat r draws its subset and trains from the manifest's seeds + r) differ by "
        f"{grid.between_runs:.3f} of the way (standard deviation); that is in every interval, but not between ways "
        "that judge the same trainings."
    )


def worst_in_words(way: Way) -> str:
    """By how much the control changed the base's loss when it did so least well, and when."""
    if way.worst is None:
        return "–"
    value, low, high = (
        f"{-100 * end:+.1f}" for end in (way.worst.worth.value, way.worst.worth.high, way.worst.worth.low)
    )
    return f"{value}% [{low}, {high}] at {way.worst.step:,}"


def _range(values: Sequence[float], form: str) -> str:
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"
