"""What a study found, in sentences."""

import math
from collections.abc import Sequence

from evaluate.page.render import count
from evaluate.studies.scaling import Scaling, verdict
from evaluate.studies.ways import RESAMPLES, TOLD, Compared, Grid, Way

NINE_TENTHS = 0.9  # of what the largest size reached: how many pairs take one there
WORST = (
    "by how much the control changed the base's loss at the look where it did so least well, and when; above zero is "
    "damage to the base. Its interval is over the monitor's rows, for the worst of all looks"
)
NAMED = 4  # ways in a headline
LEAST = 2 / (1 + RESAMPLES)  # p of two ways whose difference has one sign in all resamples


def headline(grid: Grid) -> str:
    """Which way goes furthest, and which ones are not told from it; of each condition, where several are scored."""
    found = grid.conditions
    if not found:
        return "No verdict: in no way is the ceiling of this study surely better than its floor."
    if len(found) == 1:
        return _furthest(grid, next(iter(found.values())))
    best = {condition: max(known, key=lambda way: way.share.value) for condition, known in found.items()}
    said = [f"of {condition}: {way.name}, {_way_gone(way)}" for condition, way in best.items()]
    return f"Furthest {'; '.join(said)}."


def _furthest(grid: Grid, known: Sequence[Way]) -> str:
    best = max(known, key=lambda way: way.share.value)
    said = f"{best.name} goes furthest: {_way_gone(best)} from no control to the best this base can draw"
    if len(known) == 1:
        return f"{said}."
    like = [way for way in known if way not in grid.behind and way is not best]
    if not like:
        return f"{said}, and is told from every other way."
    if len(like) == len(known) - 1:
        return f"{said}, but is told from no other way."
    named = ", ".join(f"{way.name} ({100 * way.share.value:.0f}%)" for way in like[:NAMED])
    more = f" and {len(like) - NAMED} more" if len(like) > NAMED else ""
    return f"{said}; not told from it: {named}{more}. Told from it: {len(known) - 1 - len(like)}."


def _way_gone(way: Way) -> str:
    return f"{100 * way.share.value:.0f}% of the way [{100 * way.share.low:.0f}, {100 * way.share.high:.0f}]"


def verdicts(grid: Grid) -> list[str]:
    """What each way is worth beside the one that it is compared with, a sentence each."""
    return [_verdict(compared) for compared in grid.compared]


def _verdict(compared: Compared) -> str:
    way, beside, found = compared.way.name, compared.beside.name, compared.difference
    if not math.isfinite(found.value):
        return f"{way}: no verdict, for its ceiling isn't surely better than its floor, or that of {beside} isn't."
    word = "not told from" if not compared.told else "ahead of" if found.value > 0 else "behind"
    span = f"95% interval {100 * found.low:+.0f} to {100 * found.high:+.0f}; p = {compared.p:.2g}"
    once = ", of one training each, which chance may have made" if compared.single and compared.told else ""
    return f"{way} is {word} {beside}: {100 * found.value:+.0f} points of the way ({span}{once})."


def pairs_in_words(scaling: Scaling) -> str:
    """How many pairs reach nine tenths of what the largest size reached, or that these sizes can't tell."""
    return verdict(
        scaling,
        targets=NINE_TENTHS * scaling.tables[:, -1],
        unit=f"(nine tenths of what {count(int(scaling.sizes[-1]))} pairs reach)",
    )


def forms_in_words(scaling: Scaling) -> str:
    """Which form of growth fits best."""
    if scaling.best is None:
        return "Too few trainings to hold forms of growth against each other."
    others = ", ".join(f"{fit.form.name} {fit.aicc:.1f}" for fit in scaling.fits[1:] if math.isfinite(fit.aicc))
    return f"Of the forms of growth the {scaling.best.form.name} fits best (AICc {scaling.best.aicc:.1f}; {others})."


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


def comparisons_in_words(grid: Grid) -> str:
    """When two ways are told apart."""
    number = len(grid.compared)
    said = (
        f"Ways that differ in one axis alone are compared; two are told apart below p = {TOLD:g}, corrected for all "
        f"{number} comparisons (Holm), and the furthest from another by the range of all (Tukey)."
    )
    if number * LEAST >= TOLD:
        said += f" By {RESAMPLES:,} resamples none of so many can be told apart: name fewer in `against`."
    return said


def trainings_in_words(grid: Grid) -> str:
    """What of other trainings is in the intervals."""
    if grid.between_runs is None:
        return (
            "Every way was trained once: what another training would change is in no interval, and may have made what "
            "is told apart."
        )
    return (
        f"Trainings of one way (each draws its subset and trains from seeds of its own) differ by "
        f"{grid.between_runs:.3f} of the way (standard deviation); that is in every interval of a score (Student's t). "
        "Between ways that judge the same trainings, it is what these trainings differ in from one way to the other."
    )


def appeared_in_words(way: Way) -> str:
    """The step at which control appeared in each training; a dash where it did not."""
    return ", ".join("–" if step is None else f"{step:,.0f}" for step in way.appeared)


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
