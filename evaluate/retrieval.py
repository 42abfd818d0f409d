"""The swap test: is the condition asked for likest to what was found? Chance is known, the same for every annotator."""

from collections.abc import Callable, Sequence

from evaluate.anchors import SPAN
from evaluate.measures.measure import SHARE, Measure, Score
from manifests.condition import Condition

RIVALS = 31  # other samples' conditions that it is held against; fewer where there are not so many
RETRIEVAL = Measure(
    "retrieval",
    "right condition among 32",
    SHARE,
    True,
    False,
    "How often the condition asked for, and none of 31 others, is likest to the one re-annotated.",
)
ASKED_OF = SPAN  # arms in which it is looked for


def rivals(place: int, *, samples: int) -> list[int]:
    """The samples whose conditions one is held against: those after it, round in a circle."""
    return [(place + step) % samples for step in range(1, min(RIVALS, samples - 1) + 1)]


def retrieve(
    likeness: Callable[[Condition, Condition], float],
    own: Condition,
    others: Sequence[Condition],
    found: Condition,
) -> Score:
    """Look for the condition asked for.

    Args:
        likeness: of one asked for and one found; higher is more alike.
        own: the condition asked for.
        others: of the rivals.
        found: in the picture.

    Returns:
        1 where `own` is likest, 0 where another is, a share where several are equally like; beside it as `asked` the
        number of conditions K, of which chance finds one in K.
    """
    mine, theirs = likeness(own, found), [likeness(other, found) for other in others]
    equal = sum(each == mine for each in theirs)
    return Score(0.0 if max(theirs, default=mine) > mine else 1 / (1 + equal), asked=1.0 + len(others))
