"""Which ways of a study are compared: those that differ in one axis alone."""

from collections.abc import Mapping, Sequence

from manifests.study import Against

Labels = Mapping[str, str]  # of a way, by axis


def pairs(ways: Sequence[Labels], against: Sequence[Against]) -> list[tuple[int, int]]:
    """Places of each way that is compared, and of the one that it is compared with; no two ways twice.

    Args:
        ways: all with the same axes, in the study's order.
        against: an axis → the label that its others are compared with, or a label and the one that it is compared with.
            None: each axis's first label.
    """
    asked = against or [{axis: label} for axis, label in ways[0].items()]
    places = {tuple(labels.items()): place for place, labels in enumerate(ways)}
    found = dict[frozenset[int], tuple[int, int]]()
    for axis, wanted in (line for one in asked for line in one.items()):
        label, other = (None, wanted) if isinstance(wanted, str) else wanted
        for place, labels in enumerate(ways):
            beside = places.get(tuple({**labels, axis: other}.items()))
            if beside is not None and beside != place and label in {None, labels[axis]}:
                found.setdefault(frozenset({place, beside}), (place, beside))
    return list(found.values())
