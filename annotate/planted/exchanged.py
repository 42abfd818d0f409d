"""Captions exchanged among rows, so that none has its own."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

Captions = Mapping[int, AbstractSet[str]]


def exchange(rows: Sequence[int], captions: Captions) -> dict[int, int]:
    """Whose captions each of the rows gets: pairs swap, in their order, and of an odd number three go round.

    The first rows of a longer list are paired as they are alone, the last of them perhaps apart.

    Args:
        captions: by row, those that fit it.

    Raises:
        ValueError: fewer than two rows, or some whose captions too many of the others share.
    """
    giver: dict[int, int] = {}
    waiting: list[int] = []
    for row in rows:
        other = next((other for other in waiting if _differ(row, other, captions)), None)
        if other is None:
            waiting.append(row)
        else:
            waiting.remove(other)
            giver |= {row: other, other: row}
    for row in waiting:
        giver |= _squeezed_in(row, giver, captions)
    return giver


def _squeezed_in(row: int, giver: Mapping[int, int], captions: Captions) -> dict[int, int]:
    """What changes when a row gets the captions of one that has another's, and gives its own to a third."""
    for taker, owner in giver.items():
        if _differ(row, owner, captions) and _differ(taker, row, captions):
            return {row: owner, taker: row}
    raise ValueError(
        f"captions {sorted(captions[row])}: the {len(giver) + 1} rows that exchange them have too few others. "
        "Plant this fault into more rows, or into a corpus with more different captions"
    )


def _differ(one: int, other: int, captions: Captions) -> bool:
    return captions[one].isdisjoint(captions[other])
