"""What an audit found, in words."""

from evaluate.leaks.audit import Audit
from evaluate.leaks.gap import Gap
from evaluate.leaks.likeness import Likeness
from evaluate.leaks.rate import in_words
from evaluate.page.render import short, with_interval
from manifests.splits.near import DISTANCE


def verdict(found: Audit) -> str:
    """In one sentence: whether the test was of pictures trained on, and whether the run draws copies."""
    return f"{_leaks(found)}; {_copies(found)}."


def sentences(found: Audit) -> list[str]:
    """What else there is to say."""
    return [_base(found), _chance(found), *_without(found), _likeness(found.likeness, found.unlike), _gap(found.gap)]


def _leaks(found: Audit) -> str:
    leaked, rows = found.leaked, f"the {found.trained:,} rows trained on"
    if leaked.unsought:
        return f"{in_words(leaked.equal)} test samples are the same file as one of {rows}, near copies were not sought"
    if not leaked.leaks:
        return f"No test sample has a copy among {rows} ({in_words(leaked.any)})"
    if not leaked.told:
        return (
            f"{in_words(leaked.any)} test samples are as near to one of {rows} as copies are, no more than unrelated "
            f"pictures of this corpus would be (about {short(leaked.base.expected if leaked.base else 0)})"
        )
    return f"{in_words(leaked.any)} test samples have a copy among {rows}: {leaked.equal.count:,} the same file"


def _copies(found: Audit) -> str:
    copies = found.copies
    if copies.bits < 0:
        return "copies can't be told, for real test pictures that are none are as near to one trained on as copies are"
    said = f"{in_words(copies.drawn)} are drawn as a copy of one, {copies.floor.count:,} without control"
    if copies.told:
        return f"{said} (p {short(copies.p)}): the run has learned pictures by heart"
    if copies.drawn.count:
        return f"{said}, which chance may have done (p {short(copies.p)})"
    return f"no drawn picture is a copy of one ({in_words(copies.drawn)})"


def _base(found: Audit) -> str:
    leaked = found.leaked
    if leaked.base is None:
        return f"Near copies of test samples were not sought: {leaked.unsought}."
    base = leaked.base
    return (
        f"A near copy is at most {DISTANCE} bits of 64 away; of {base.pairs:,} random pairs of a test sample and a row "
        f"trained on, half are {base.median} bits apart or more, and beyond copies the nearest {base.closest}. "
        f"So many samples and rows would give about {short(base.expected)} near pairs by chance. "
        f"{leaked.samples - leaked.hashed:,} samples are too flat for a hash."
    )


def _chance(found: Audit) -> str:
    copies = found.copies
    if copies.bits < 0:
        return "Real test pictures are as near to what was trained on as a copy would be: copies can't be told here."
    of = "" if copies.rows == found.trained else f" {copies.rows:,} of {found.trained:,} rows were looked at."
    return (
        f"A drawn picture is taken for a copy if it is at most {copies.bits} bits from a square of a picture trained "
        "on, which at most 1% of real test pictures are, while the real picture whose condition was asked for is "
        f"farther. Where it is that near itself, the condition explains it: {in_words(copies.explained)} samples.{of}"
    )


def _without(found: Audit) -> list[str]:
    if found.clean is None:
        return []
    return [
        f"Without the samples that leaked the primary measure is {with_interval(found.clean)}, "
        f"with them {with_interval(found.all_samples)}."
    ]


def _likeness(likeness: Likeness | None, why: str) -> str:
    if likeness is None:
        return f"Likeness by embedding was not sought: {why}."
    limit = f"a cosine of {likeness.threshold:.3f}, which 95% of edited copies of the test pictures reach"
    if not likeness.tells:
        return (
            f"{likeness.model} can't tell: by {limit}, about {short(likeness.expected)} of {likeness.samples:,} "
            "samples would look like some row by chance."
        )
    return (
        f"By {likeness.model}, {in_words(likeness.rate)} test samples look like one of {likeness.rows:,} rows, by "
        f"{limit}; about {short(likeness.expected)} would by chance."
    )


def _gap(gap: Gap | None) -> str:
    if gap is None:
        return (
            "How much better it obeys conditions that it was trained on was not measured: no such evaluation was given."
        )
    line = gap.primary
    if line.told:
        told = "obeys conditions that it was trained on better"
    elif line.less:
        told = "obeys conditions that it was trained on less, for they are harder"
    else:
        told = "can't be told to obey conditions that it was trained on otherwise"
    return (
        f"It {told}: {line.measure.title} {with_interval(line.trained)} on {gap.trained_samples:,} rows trained on, "
        f"{with_interval(line.test)} on {gap.test_samples:,} test rows, a gap of "
        f"{with_interval(line.difference, sign='+')}; of the way from floor to ceiling "
        f"{with_interval(line.normalised, sign='+')}."
    )
